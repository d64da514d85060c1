//! The public contract of refusals: every code with its status, its titles and what a client does next.
//!
//! A slug never changes its meaning. docs/errors.md explains each one; a test compares the two.

use axum::http::StatusCode;

use super::language::Language;

/// What a client does after a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// The same request again, under the same Idempotency-Key, after a pause (Retry-After when it is given).
    Later,
    /// Another request, mended; under a new Idempotency-Key when the refusal was stored (409, 410, 412).
    Changed,
    /// Not again: read the resource and go on from its state.
    Never,
}

impl Retry {
    pub fn slug(self) -> &'static str {
        match self {
            Self::Later => "later",
            Self::Changed => "changed",
            Self::Never => "never",
        }
    }
}

macro_rules! codes {
    ($($name:ident $slug:literal $status:ident $retry:ident $arabic:literal $english:literal)+) => {
        /// Why a request was refused.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Code { $(#[doc = $english] $name),+ }

        impl Code {
            pub const ALL: &[Self] = &[$(Self::$name),+];

            pub fn slug(self) -> &'static str {
                match self { $(Self::$name => $slug),+ }
            }

            pub fn status(self) -> StatusCode {
                match self { $(Self::$name => StatusCode::$status),+ }
            }

            pub fn retry(self) -> Retry {
                match self { $(Self::$name => Retry::$retry),+ }
            }

            pub fn title(self, language: Language) -> &'static str {
                match (self, language) {
                    $((Self::$name, Language::Arabic) => $arabic, (Self::$name, Language::English) => $english),+
                }
            }
        }
    };
}

#[rustfmt::skip]
codes! {
    // Who calls.
    SignatureMissing "signature_missing" UNAUTHORIZED Changed
        "الطلب غير موقَّع" "The request is not signed"
    SignatureMalformed "signature_malformed" UNAUTHORIZED Changed
        "تعذّرت قراءة توقيع الطلب" "The signature headers cannot be read"
    SignatureComponentsMissing "signature_components_missing" UNAUTHORIZED Changed
        "التوقيع لا يشمل كل الأجزاء المطلوبة" "The signature does not cover enough of the request"
    SignatureStale "signature_stale" UNAUTHORIZED Changed
        "وقت التوقيع بعيد عن ساعة المنظومة" "The signature was made too long ago or in the future"
    SignatureExpired "signature_expired" UNAUTHORIZED Changed
        "انتهت صلاحية التوقيع" "The signature has expired"
    SignatureInvalid "signature_invalid" UNAUTHORIZED Changed
        "التوقيع غير صحيح" "The signature is wrong"
    AlgorithmMismatch "algorithm_mismatch" UNAUTHORIZED Changed
        "خوارزمية التوقيع ليست خوارزمية المفتاح المسجَّل" "The signature's algorithm is not the key's"
    DigestMissing "digest_missing" UNAUTHORIZED Changed
        "لا توجد بصمة لمحتوى الطلب" "The body has no digest"
    DigestMismatch "digest_mismatch" UNAUTHORIZED Changed
        "بصمة المحتوى لا تطابق المحتوى المستلَم" "The digest is not that of the body"
    KeyUnknown "key_unknown" UNAUTHORIZED Changed
        "المفتاح غير معروف أو ملغى" "The key is unknown or revoked"
    LoginRefused "login_refused" UNAUTHORIZED Changed
        "اسم الدخول أو كلمة المرور غير صحيحة" "The login or the password is not right"
    PasswordChangeNeeded "password_change_needed" FORBIDDEN Changed
        "يجب تغيير كلمة المرور أولًا" "The password must be replaced first"
    ForbiddenScope "forbidden_scope" FORBIDDEN Changed
        "صلاحيات المفتاح لا تسمح بهذا الطلب" "The key's scopes do not allow this"
    SamePerson "same_person" FORBIDDEN Changed
        "يجب أن يقوم بهذه الخطوة شخص آخر" "Another person must take this step"

    // What a request must carry.
    IdempotencyKeyMissing "idempotency_key_missing" BAD_REQUEST Changed
        "ترويسة Idempotency-Key مفقودة" "The Idempotency-Key is missing"
    IdempotencyKeyInvalid "idempotency_key_invalid" BAD_REQUEST Changed
        "قيمة Idempotency-Key غير صالحة" "The Idempotency-Key cannot be used"
    IdempotencyKeyReused "idempotency_key_reused" UNPROCESSABLE_ENTITY Changed
        "استُخدم مفتاح Idempotency-Key نفسه لطلب آخر" "The Idempotency-Key belongs to another request"
    IdempotencyKeyBusy "idempotency_key_busy" CONFLICT Later
        "الطلب الأول بهذا المفتاح ما زال قيد التنفيذ" "The first request under this key is still running"
    NotFound "not_found" NOT_FOUND Never
        "العنصر المطلوب غير موجود" "There is no such thing"
    MethodNotAllowed "method_not_allowed" METHOD_NOT_ALLOWED Changed
        "طريقة الطلب غير مسموحة على هذا العنوان" "The method is not allowed here"
    NotAcceptable "not_acceptable" NOT_ACCEPTABLE Changed
        "لا تتوفر الصيغة المطلوبة" "The requested format is not available"
    UnsupportedMediaType "unsupported_media_type" UNSUPPORTED_MEDIA_TYPE Changed
        "نوع المحتوى غير مدعوم" "The content type is not supported"
    BodyTooLarge "body_too_large" PAYLOAD_TOO_LARGE Changed
        "محتوى الطلب أكبر من الحد المسموح" "The body is too large"
    MalformedJson "malformed_json" BAD_REQUEST Changed
        "محتوى الطلب ليس JSON سليمًا" "The body is not JSON"
    ValidationFailed "validation_failed" UNPROCESSABLE_ENTITY Changed
        "في الطلب حقول غير صحيحة" "Some fields are wrong"
    QueryInvalid "query_invalid" BAD_REQUEST Changed
        "في معاملات العنوان قيم غير صحيحة" "The query parameters are wrong"
    CursorInvalid "cursor_invalid" BAD_REQUEST Changed
        "مؤشّر الصفحة غير صالح" "The cursor was not handed out by this list"
    RateLimited "rate_limited" TOO_MANY_REQUESTS Later
        "عدد الطلبات تجاوز الحد المسموح" "Too many requests"
    AlreadyExists "already_exists" CONFLICT Changed
        "الاسم أو الرمز مستخدم من قبل" "The name or code is taken"
    KeyLimitReached "key_limit_reached" CONFLICT Changed
        "بلغ عدد المفاتيح الفعّالة حدّه الأعلى" "There are as many active keys as there may be"
    TooFewAdministrators "too_few_administrators" CONFLICT Changed
        "يجب أن يبقى مسؤولان اثنان" "Two administrators must be left"

    // Services, prices, quotes.
    NoTariff "no_tariff" CONFLICT Changed
        "لا توجد تعرفة سارية لهذه الخدمة بهذه العملة" "The service has no tariff in this currency today"
    ServiceSuspended "service_suspended" CONFLICT Changed
        "الخدمة موقوفة مؤقتًا" "The service is suspended"
    WrongCurrency "wrong_currency" UNPROCESSABLE_ENTITY Changed
        "العملة غير مطابقة" "The currency does not fit"
    QuoteNotFound "quote_not_found" NOT_FOUND Changed
        "عرض السعر غير موجود" "There is no such quote"
    QuoteExpired "quote_expired" GONE Changed
        "انتهت صلاحية عرض السعر" "The quote has expired"
    QuoteUsed "quote_used" CONFLICT Never
        "استُخدم عرض السعر من قبل" "The quote has been used"

    // Payments.
    ReferenceInUse "reference_in_use" CONFLICT Never
        "لهذا المرجع طلب دفع قائم" "The reference already has a live payment intent"
    IntentNotPayable "intent_not_payable" CONFLICT Never
        "لا يمكن الدفع في الحالة الحالية" "The payment intent cannot be paid in its state"
    IntentNotCancelable "intent_not_cancelable" CONFLICT Never
        "لا يمكن الإلغاء في الحالة الحالية" "The payment intent cannot be canceled in its state"
    IntentNotPaid "intent_not_paid" CONFLICT Never
        "طلب الدفع غير مدفوع" "The payment intent is not paid"
    AttemptInProgress "attempt_in_progress" CONFLICT Later
        "توجد محاولة دفع جارية" "A payment attempt is in progress"
    ChannelUnavailable "channel_unavailable" CONFLICT Changed
        "قناة الدفع غير متاحة لهذا الطلب" "The channel cannot be used for this payment"

    // Refunds and decisions.
    OverRefund "over_refund" CONFLICT Changed
        "المبلغ يتجاوز ما يمكن ردّه" "More than is left would be refunded"
    RefundableMismatch "refundable_mismatch" PRECONDITION_FAILED Changed
        "المبلغ القابل للرد ليس كما ورد في الطلب" "What is left to refund is not what the request believes"
    PaymentReversed "payment_reversed" CONFLICT Never
        "استعادت قناة الدفع هذه الدفعة، فلا تُرد مرة أخرى" "The channel has taken the payment back, so it is not refunded"
    RefundNotApprovable "refund_not_approvable" CONFLICT Never
        "لا يمكن اعتماد الرد في حالته الحالية" "The refund cannot be approved in its state"
    RefundNotCancelable "refund_not_cancelable" CONFLICT Never
        "لا يمكن إلغاء الرد في حالته الحالية" "The refund cannot be canceled in its state"
    FundsMissing "funds_missing" CONFLICT Changed
        "على الجهة أن تورّد المبلغ أولًا" "The agency has to pay the money in first"
    AlreadyProposed "already_proposed" CONFLICT Never
        "سبق اقتراح ذلك وينتظر القرار" "It was proposed before and waits for a decision"
    AlreadyDecided "already_decided" CONFLICT Never
        "اتُّخذ القرار من قبل" "The decision has been taken"
    BreakEndsByItself "break_ends_by_itself" CONFLICT Never
        "يُغلق هذا الفرق عند وصول ماله أو خبره، لا بقرار" "The break ends when its money or news is there, not by a decision"
    CatalogueChanged "catalogue_changed" CONFLICT Changed
        "تغيّرت لائحة الرسوم السارية منذ تقديم الملفات" "The catalogue in force has changed since the files were submitted"
    OtherNote "other_note" PRECONDITION_FAILED Changed
        "الحلّ المقترح ليس ما ورد في الطلب" "What was proposed is not what the request agrees to"
    OtherFiles "other_files" PRECONDITION_FAILED Changed
        "الملفات ليست تلك التي ورد ذكرها في الطلب" "The files are not those that the request names"

    // Files and the feed.
    StatementUnreadable "statement_unreadable" UNPROCESSABLE_ENTITY Changed
        "تعذّرت قراءة كشف الحساب" "The statement file cannot be read"
    EventsGone "events_gone" GONE Changed
        "الأحداث المطلوبة أقدم من مدة الحفظ" "Events this old are no longer kept"
    WebhookLimitReached "webhook_limit_reached" CONFLICT Changed
        "بلغ عدد عناوين الإشعار أو مفاتيحها السرية حدّه الأعلى" "There are as many webhook endpoints or secrets as there may be"

    // Ours.
    Internal "internal" INTERNAL_SERVER_ERROR Later
        "حدث خطأ داخلي" "Something failed on our side"
    Unavailable "unavailable" SERVICE_UNAVAILABLE Later
        "الخدمة غير متاحة الآن" "The service is not available now"
}

macro_rules! field_codes {
    ($($name:ident $slug:literal $arabic:literal $english:literal)+) => {
        /// What is wrong with one field.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum FieldCode { $(#[doc = $english] $name),+ }

        impl FieldCode {
            pub const ALL: &[Self] = &[$(Self::$name),+];

            pub fn slug(self) -> &'static str {
                match self { $(Self::$name => $slug),+ }
            }

            pub fn title(self, language: Language) -> &'static str {
                match (self, language) {
                    $((Self::$name, Language::Arabic) => $arabic, (Self::$name, Language::English) => $english),+
                }
            }
        }
    };
}

#[rustfmt::skip]
field_codes! {
    // Shape.
    Required "required" "الحقل مطلوب" "The field is required"
    Unknown "unknown_field" "الحقل غير معروف" "The field is unknown"
    Duplicate "duplicate" "الحقل مكرّر" "The field stands twice"
    NotAString "not_a_string" "يجب أن تكون القيمة نصًّا" "A string is expected"
    WrongType "wrong_type" "نوع القيمة غير صحيح" "The value has the wrong type"
    TooDeep "too_deep" "التداخل أعمق من الحد المسموح" "The nesting is too deep"
    TooMany "too_many" "عدد العناصر أكبر من الحد المسموح" "There are too many items"
    Empty "empty" "القيمة فارغة" "The value is empty"
    TooLong "too_long" "القيمة أطول من الحد المسموح" "The value is too long"
    NotTogether "not_together" "لا يجوز الجمع بين هذا الحقل وحقل آخر" "The field cannot stand beside another one"
    Invalid "invalid" "القيمة غير صالحة" "The value is not valid"
    NotAllowed "not_allowed" "القيمة ليست من القيم المسموحة" "The value is not one of those allowed"

    // Money, numbers, times, ids, addresses.
    NotAnAmount "not_an_amount" "القيمة ليست مبلغًا" "The value is not an amount"
    TooPrecise "too_precise" "عدد المنازل العشرية أكبر مما تسمح به العملة" "The amount has more decimals than the currency"
    NotPositive "not_positive" "يجب أن تكون القيمة أكبر من صفر" "The value must be greater than zero"
    OutOfRange "out_of_range" "القيمة خارج الحدود المسموحة" "The value is out of range"
    UnknownCurrency "unknown_currency" "العملة غير معروفة" "The currency is unknown"
    WrongCurrency "wrong_currency" "العملة غير مطابقة" "The currency does not fit"
    NotATime "not_a_time" "القيمة ليست تاريخًا أو وقتًا" "The value is not a date or time"
    NotAnId "not_an_id" "القيمة ليست معرّفًا صحيحًا" "The value is not an id of this kind"
    NotAUrl "not_a_url" "القيمة ليست عنوان URL مقبولًا" "The value is not a URL of an accepted kind"
    NotRegistered "not_registered" "القيمة غير مسجَّلة لهذه الجهة" "The value is not registered for this portal"

    // The catalogue.
    UnknownService "unknown_service" "الخدمة غير معروفة" "The service is unknown"
    UnknownInput "unknown_input" "المُدخَل غير معروف لهذه الخدمة" "The service has no such input"
    UnknownExemption "unknown_exemption" "الإعفاء غير معروف لهذه الخدمة" "The service has no such exemption"
    UnknownChannel "unknown_channel" "قناة الدفع غير معروفة" "The channel is unknown"
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const PAGE: &str = include_str!("../../docs/errors.md");

    /// The rows of docs/errors.md without their last column, the explanation; they begin with a slug.
    fn documented() -> Vec<String> {
        PAGE.lines()
            .filter(|line| line.starts_with("| `"))
            .map(|line| {
                let (row, meaning) =
                    line.trim_end_matches(" |").rsplit_once(" | ").expect("a row has columns");
                assert!(meaning.trim().len() > 20, "an explanation is missing: {line}");
                row.to_owned()
            })
            .collect()
    }

    #[test]
    fn every_code_is_documented_as_it_is() {
        let codes = Code::ALL.iter().map(|code| {
            let (arabic, english) = (code.title(Language::Arabic), code.title(Language::English));
            let status = code.status().as_u16();
            format!("| `{}` | {status} | {} | {english} | {arabic}", code.slug(), code.retry().slug())
        });
        let fields = FieldCode::ALL.iter().map(|code| {
            let (arabic, english) = (code.title(Language::Arabic), code.title(Language::English));
            format!("| `{}` | {english} | {arabic}", code.slug())
        });
        let expected: Vec<String> = codes.chain(fields).collect();
        let documented = documented();
        for row in &expected {
            assert!(documented.contains(row), "docs/errors.md lacks this row:\n{row}");
        }
        assert_eq!(documented.len(), expected.len(), "docs/errors.md has rows that the program has not");
    }

    #[test]
    fn slugs_are_unique_and_titles_are_in_their_language() {
        let slugs: BTreeSet<&str> = Code::ALL.iter().map(|code| code.slug()).collect();
        assert_eq!(slugs.len(), Code::ALL.len());
        let slugs: BTreeSet<&str> = FieldCode::ALL.iter().map(|code| code.slug()).collect();
        assert_eq!(slugs.len(), FieldCode::ALL.len());
        for code in Code::ALL {
            assert!(code.title(Language::English).is_ascii(), "{code:?}");
            assert!(
                code.title(Language::Arabic).chars().any(|letter| ('ء'..='ي').contains(&letter)),
                "{code:?}"
            );
            assert!(code.status().is_client_error() || code.status().is_server_error());
        }
    }

    /// Design: 5xx and 429 say nothing about the request itself.
    #[test]
    fn what_is_ours_or_passing_may_be_sent_again() {
        for code in Code::ALL {
            let passing = code.status().is_server_error() || code.status() == StatusCode::TOO_MANY_REQUESTS;
            assert!(!passing || code.retry() == Retry::Later, "{code:?}");
        }
    }
}
