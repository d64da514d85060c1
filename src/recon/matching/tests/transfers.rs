//! Transfers that name a bill.

use super::*;

proptest! {
    #[test]
    fn a_bill_in_free_text_counts_with_what_is_due_and_never_with_another_amount(
        dues in prop::collection::vec(1_i64..1_000_000, 1..6), which in 0_usize..6, how in 0_usize..5,
        off in -500_i64..500,
    ) {
        let which = which % dues.len();
        let number = bill(u32::try_from(which).expect("few") + 1);
        let candidates = Candidates { bills: bills(&dues), transfers: transfers(), ..Candidates::default() };
        let paid = (dues[which] + off).max(1);
        let ruled = run(&[line(1, paid, &written(number, how))], &candidates).expect("in range");
        let wanted = if paid == dues[which] {
            Verdict::Transfers("transfer".to_owned(), number)
        } else {
            Verdict::Unknown(vec![number])
        };
        prop_assert_eq!(&ruled[0].verdict, &wanted);
    }

    #[test]
    fn a_text_that_names_two_bills_is_for_a_person(
        dues in prop::collection::vec(1_i64..1_000_000, 2..6), hows in (0_usize..5, 0_usize..5),
    ) {
        let candidates = Candidates { bills: bills(&dues), transfers: transfers(), ..Candidates::default() };
        let text = format!("{}\n{}", written(bill(1), hows.0), written(bill(2), hows.1));
        let ruled = run(&[line(1, dues[0], &text)], &candidates).expect("in range");
        prop_assert_eq!(&ruled[0].verdict, &Verdict::Unknown(vec![bill(1), bill(2)]));
    }

    #[test]
    fn a_bill_with_a_wrong_digit_is_never_confirmed(due in 1_i64..1_000_000, place in 0_usize..14, add in 1_u32..10) {
        let candidates = Candidates { bills: bills(&[due]), transfers: transfers(), ..Candidates::default() };
        let mut digits: Vec<char> = bill(1).to_string().chars().collect();
        let digit = digits[place].to_digit(10).expect("a digit");
        digits[place] = char::from_digit((digit + add) % 10, 10).expect("a digit");
        let text: String = digits.into_iter().collect();
        let ruled = run(&[line(1, due, &text)], &candidates).expect("in range");
        prop_assert_eq!(&ruled[0].verdict, &Verdict::Unknown(Vec::new()));
    }
}

/// A channel may go on owing money under the reference of a bill: it was short, or its bank took it back.
#[test]
fn a_transfer_is_told_of_though_as_much_is_owed_under_its_bill() {
    let number = bill(1);
    let owed = Expectation {
        account: ACCOUNT.to_owned(),
        reference: Some(number.to_string()),
        transaction: None,
        money_key: None,
        ..payment(1, "transfer", 5_000, 0)
    };
    let mut candidates =
        Candidates { bills: bills(&[5_000]), transfers: transfers(), ..Candidates::default() };
    candidates.expectations = vec![owed.clone()];
    let lines = [line(1, 5_000, &written(number, 0))];
    let ruled = run(&lines, &candidates).expect("in range");
    assert_eq!(ruled[0].verdict, Verdict::Transfers("transfer".to_owned(), number));
    candidates.expectations =
        vec![Expectation { money_key: Some("transfer:TX-1".to_owned()), ..owed.clone() }];
    let ruled = run(&lines, &candidates).expect("in range");
    assert_eq!(ruled[0].verdict, Verdict::Pays(owed.id), "its channel told of it");
}
