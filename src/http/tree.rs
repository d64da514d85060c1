//! JSON text as a tree. Refused: members that stand twice (readers disagree on which one counts), nesting beyond
//! any sense, texts with a zero character, anything after the end.

use std::cell::RefCell;
use std::fmt;

use serde::de::{DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::problem::{Code, FieldCode, FieldError, Problem};

/// Levels of nesting; more than any body of the API has.
pub const DEPTH_MAX: usize = 32;

/// # Errors
/// `malformed_json` with line and column, or `validation_failed` with pointers to what stands twice, too deep, or holds a zero
/// character.
pub(super) fn tree(body: &[u8]) -> Result<Value, Problem> {
    let faults = RefCell::new(Vec::new());
    let mut reader = serde_json::Deserializer::from_slice(body);
    let place = Place { above: None, step: Step::Root, depth: 0, faults: &faults };
    let value = place.deserialize(&mut reader).and_then(|value| reader.end().map(|()| value));
    let faults = faults.into_inner();
    if !faults.is_empty() {
        return Err(Problem { errors: faults, ..Problem::new(Code::ValidationFailed) });
    }
    value.map_err(|error| {
        let what = if body.is_empty() { "the body is empty".to_owned() } else { error.to_string() };
        Problem::new(Code::MalformedJson).detail(what)
    })
}

/// Where the reader stands; builds a [`Value`] of what follows, noting members that stand twice.
struct Place<'a> {
    above: Option<&'a Place<'a>>,
    step: Step<'a>,
    depth: usize,
    faults: &'a RefCell<Vec<FieldError>>,
}

#[derive(Clone, Copy)]
enum Step<'a> {
    Root,
    Member(&'a str),
    Item(usize),
}

impl<'a> Place<'a> {
    fn below<'b>(&'b self, step: Step<'b>) -> Place<'b> {
        Place { above: Some(self), step, depth: self.depth + 1, faults: self.faults }
    }

    fn pointer(&self) -> String {
        let above = self.above.map(Place::pointer).unwrap_or_default();
        match self.step {
            Step::Root => above,
            Step::Member(name) => format!("{above}/{}", escaped(name)),
            Step::Item(index) => format!("{above}/{index}"),
        }
    }

    fn note(&self, code: FieldCode) {
        self.faults.borrow_mut().push(FieldError::new(self.pointer(), code));
    }
}

impl<'de> DeserializeSeed<'de> for Place<'_> {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        if self.depth > DEPTH_MAX {
            self.note(FieldCode::TooDeep);
            return Err(D::Error::custom("too deep"));
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Place<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        // PostgreSQL keeps no text with a zero character.
        if value.contains('\0') {
            self.note(FieldCode::Invalid);
        }
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(self.below(Step::Item(list.len())))? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            let place = self.below(Step::Member(&name));
            if object.contains_key(&name) {
                place.note(FieldCode::Duplicate);
            }
            if name.contains('\0') {
                place.note(FieldCode::Invalid);
            }
            let value = members.next_value_seed(place)?;
            object.insert(name, value);
        }
        Ok(Value::Object(object))
    }
}

/// JSON pointer escapes (RFC 6901 section 3).
pub(super) fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}
