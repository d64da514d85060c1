//! The part of Structured Field Values (RFC 9651, which succeeds RFC 8941) that signatures need: dictionaries
//! of inner lists and items, with integers, strings, tokens, byte sequences and booleans. Decimals, dates and
//! display strings have no place in the profile and are refused.
//!
//! Reading is strict where the RFC is; beyond it, a repeated key is refused instead of overwritten, so that two
//! readers of one header can never see two different signatures under one label.

use std::fmt;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// RFC 9651 section 4.2.7: padding is written, and its absence is forgiven.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BareItem {
    /// At most 15 digits (RFC 9651 section 3.3.1).
    Integer(i64),
    String(String),
    Token(String),
    Bytes(Vec<u8>),
    Boolean(bool),
}

pub type Parameters = Vec<(String, BareItem)>;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    pub value: BareItem,
    pub parameters: Parameters,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InnerList {
    pub items: Vec<Item>,
    pub parameters: Parameters,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Member {
    Item(Item),
    InnerList(InnerList),
}

/// The text is not a structured field of the expected kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} at character {at}")]
pub struct NotStructured {
    pub what: &'static str,
    /// Counted from one.
    pub at: usize,
}

/// Reads a dictionary (RFC 9651 section 4.2.2); its members keep their order.
pub fn dictionary(text: &str) -> Result<Vec<(String, Member)>, NotStructured> {
    let mut reader = Reader { bytes: text.as_bytes(), at: 0 };
    let mut members: Vec<(String, Member)> = Vec::new();
    reader.skip(|byte| byte == b' ');
    while reader.peek().is_some() {
        let key = reader.key()?;
        if members.iter().any(|(known, _)| *known == key) {
            return Err(reader.refuse("a key that was there before"));
        }
        let member = reader.member()?;
        members.push((key, member));
        reader.skip(|byte| byte == b' ' || byte == b'\t');
        if reader.peek().is_none() {
            break;
        }
        reader.expect(b',', "a comma was expected")?;
        reader.skip(|byte| byte == b' ' || byte == b'\t');
        if reader.peek().is_none() {
            return Err(reader.refuse("nothing follows the comma"));
        }
    }
    Ok(members)
}

/// Reads a lone string such as `"a \"quoted\" word"`, without parameters.
pub fn string(text: &str) -> Result<String, NotStructured> {
    let mut reader = Reader { bytes: text.as_bytes(), at: 0 };
    let value = reader.string()?;
    match reader.peek() {
        None => Ok(value),
        Some(_) => Err(reader.refuse("something follows the string")),
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn refuse(&self, what: &'static str) -> NotStructured {
        NotStructured { what, at: self.at + 1 }
    }

    fn expect(&mut self, byte: u8, what: &'static str) -> Result<(), NotStructured> {
        if self.peek() != Some(byte) {
            return Err(self.refuse(what));
        }
        self.at += 1;
        Ok(())
    }

    fn skip(&mut self, wanted: impl Fn(u8) -> bool) {
        while self.peek().is_some_and(&wanted) {
            self.at += 1;
        }
    }

    /// Takes the longest run of wanted bytes; they must be ASCII.
    fn take(&mut self, wanted: impl Fn(u8) -> bool) -> String {
        let start = self.at;
        self.skip(wanted);
        self.bytes[start..self.at].iter().map(|byte| char::from(*byte)).collect()
    }

    fn key(&mut self) -> Result<String, NotStructured> {
        match self.peek() {
            Some(b'a'..=b'z' | b'*') => {}
            _ => return Err(self.refuse("a key was expected")),
        }
        Ok(self.take(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' | b'.' | b'*')))
    }

    fn member(&mut self) -> Result<Member, NotStructured> {
        if self.peek() != Some(b'=') {
            let parameters = self.parameters()?;
            return Ok(Member::Item(Item { value: BareItem::Boolean(true), parameters }));
        }
        self.at += 1;
        if self.peek() == Some(b'(') {
            return self.inner_list().map(Member::InnerList);
        }
        self.item().map(Member::Item)
    }

    fn inner_list(&mut self) -> Result<InnerList, NotStructured> {
        self.expect(b'(', "a list was expected")?;
        let mut items = Vec::new();
        loop {
            self.skip(|byte| byte == b' ');
            if self.peek() == Some(b')') {
                self.at += 1;
                return Ok(InnerList { items, parameters: self.parameters()? });
            }
            items.push(self.item()?);
            if !matches!(self.peek(), Some(b' ' | b')')) {
                return Err(self.refuse("a space or the end of the list was expected"));
            }
        }
    }

    fn item(&mut self) -> Result<Item, NotStructured> {
        Ok(Item { value: self.bare_item()?, parameters: self.parameters()? })
    }

    fn parameters(&mut self) -> Result<Parameters, NotStructured> {
        let mut parameters = Parameters::new();
        while self.peek() == Some(b';') {
            self.at += 1;
            self.skip(|byte| byte == b' ');
            let key = self.key()?;
            if parameters.iter().any(|(known, _)| *known == key) {
                return Err(self.refuse("a parameter that was there before"));
            }
            let value = if self.peek() == Some(b'=') {
                self.at += 1;
                self.bare_item()?
            } else {
                BareItem::Boolean(true)
            };
            parameters.push((key, value));
        }
        Ok(parameters)
    }

    fn bare_item(&mut self) -> Result<BareItem, NotStructured> {
        match self.peek() {
            Some(b'-' | b'0'..=b'9') => self.integer(),
            Some(b'"') => self.string().map(BareItem::String),
            Some(b':') => self.byte_sequence(),
            Some(b'?') => self.boolean(),
            Some(b'A'..=b'Z' | b'a'..=b'z' | b'*') => {
                Ok(BareItem::Token(self.take(|byte| is_tchar(byte) || byte == b':' || byte == b'/')))
            }
            _ => Err(self.refuse("a value was expected")),
        }
    }

    fn integer(&mut self) -> Result<BareItem, NotStructured> {
        let negative = self.peek() == Some(b'-');
        if negative {
            self.at += 1;
        }
        let digits = self.take(|byte| byte.is_ascii_digit());
        if digits.is_empty() || digits.len() > 15 || self.peek() == Some(b'.') {
            return Err(self.refuse("an integer of at most 15 digits was expected"));
        }
        let value: i64 = digits.parse().map_err(|_| self.refuse("an integer was expected"))?;
        Ok(BareItem::Integer(if negative { -value } else { value }))
    }

    fn string(&mut self) -> Result<String, NotStructured> {
        self.expect(b'"', "a quoted string was expected")?;
        let mut value = String::new();
        loop {
            let Some(byte) = self.peek() else { return Err(self.refuse("the string has no end")) };
            self.at += 1;
            match byte {
                b'"' => return Ok(value),
                b'\\' => match self.peek() {
                    Some(escaped @ (b'"' | b'\\')) => {
                        self.at += 1;
                        value.push(char::from(escaped));
                    }
                    _ => return Err(self.refuse("only \\\" and \\\\ may follow a backslash")),
                },
                b' '..=b'~' => value.push(char::from(byte)),
                _ => return Err(self.refuse("a string holds printable ASCII only")),
            }
        }
    }

    fn byte_sequence(&mut self) -> Result<BareItem, NotStructured> {
        self.expect(b':', "a colon was expected")?;
        let encoded = self.take(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'='));
        self.expect(b':', "base64 between colons was expected")?;
        let bytes = BASE64.decode(encoded).map_err(|_| self.refuse("the base64 cannot be read"))?;
        Ok(BareItem::Bytes(bytes))
    }

    fn boolean(&mut self) -> Result<BareItem, NotStructured> {
        self.expect(b'?', "a boolean was expected")?;
        let value = match self.peek() {
            Some(b'0') => false,
            Some(b'1') => true,
            _ => return Err(self.refuse("?0 or ?1 was expected")),
        };
        self.at += 1;
        Ok(BareItem::Boolean(value))
    }
}

fn is_tchar(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// As the RFC serializes it (section 4.1); strings are ASCII by construction.
impl fmt::Display for BareItem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integer(value) => write!(f, "{value}"),
            Self::String(value) => {
                let escaped = value.replace('\\', "\\\\").replace('"', "\\\"");
                write!(f, "\"{escaped}\"")
            }
            Self::Token(value) => f.write_str(value),
            Self::Bytes(value) => write!(f, ":{}:", BASE64.encode(value)),
            Self::Boolean(value) => write!(f, "?{}", u8::from(*value)),
        }
    }
}

impl fmt::Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.value)?;
        write_parameters(&self.parameters, f)
    }
}

impl fmt::Display for InnerList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(")?;
        for (index, item) in self.items.iter().enumerate() {
            let space = if index == 0 { "" } else { " " };
            write!(f, "{space}{item}")?;
        }
        f.write_str(")")?;
        write_parameters(&self.parameters, f)
    }
}

fn write_parameters(parameters: &Parameters, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for (key, value) in parameters {
        match value {
            BareItem::Boolean(true) => write!(f, ";{key}")?,
            value => write!(f, ";{key}={value}")?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_dictionary_survives_reading_and_writing() {
        let text = r#"sig=("@method" "date";sf;key="a b");created=1618884473;keyid="k\"1\\";x=?0;t=a/b:c"#;
        let members = dictionary(text).expect("a dictionary");
        let [(label, Member::InnerList(list))] = members.as_slice() else { panic!("{members:?}") };
        assert_eq!(format!("{label}={list}"), text);
    }

    #[test]
    fn spaces_are_taken_and_written_canonically() {
        let members = dictionary("  a=(  \"x\"   \"y\" ) ; created=1 ").map_err(|refusal| refusal.what);
        assert_eq!(members, Err("a comma was expected"), "no space stands before a semicolon");
        let members = dictionary("  a=(  \"x\"   \"y\" ); created=-1 ,\t b, c=:AQI:").expect("a dictionary");
        let written: Vec<String> = members
            .iter()
            .map(|(key, member)| match member {
                Member::Item(item) => format!("{key}={item}"),
                Member::InnerList(list) => format!("{key}={list}"),
            })
            .collect();
        assert_eq!(written, [r#"a=("x" "y");created=-1"#, "b=?1", "c=:AQI=:"]);
    }

    #[test]
    fn what_is_not_a_dictionary_is_refused() {
        for text in [
            "a=1,",
            "a=1,,b=2",
            "a=1 b=2",
            "A=1",
            "a=",
            "a=(",
            "a=(\"x\"",
            "a=(\"x\"\"y\")",
            "a=\"x",
            "a=\"\\n\"",
            "a=\"\u{7f}\"",
            "a=:AQ",
            "a=:!:",
            "a=?2",
            "a=1.5",
            "a=1234567890123456",
            "a=-",
            "a;=1",
            "a=1;x;x",
            "a=1, a=2",
            "a=@1",
            "a=%\"x\"",
            "é=1",
        ] {
            assert!(dictionary(text).is_err(), "{text:?}");
        }
        assert_eq!(dictionary(""), Ok(Vec::new()));
    }

    #[test]
    fn a_lone_string_is_read() {
        assert_eq!(string(r#""a \"b\" \\""#).as_deref(), Ok(r#"a "b" \"#));
        for text in ["", "a", "\"a", "\"a\" ", "\"a\";x=1", "\"ب\""] {
            assert!(string(text).is_err(), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn reading_never_panics(text in "\\PC{0,60}", shaped in "[a-c]=[(]?[\"@a:?0-9; ,=\\\\()-]{0,40}") {
            drop(dictionary(&text));
            drop(string(&text));
            if let Ok(members) = dictionary(&shaped) {
                for (key, member) in members {
                    let written = match member {
                        Member::Item(item) => format!("{key}={item}"),
                        Member::InnerList(list) => format!("{key}={list}"),
                    };
                    prop_assert!(dictionary(&written).is_ok(), "{written}");
                }
            }
        }
    }
}
