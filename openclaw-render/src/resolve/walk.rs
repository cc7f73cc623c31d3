//! [`walk`]: looks at the values of a spec where they are.
//!
//! A spec can be large, and nothing of it is copied.

use std::fmt::{self, Write};

use serde::Serialize;
use serde::ser::{Impossible, SerializeMap, SerializeSeq, SerializeStruct, Serializer};

use crate::api::QuantityValue;

/// A value that has limits.
#[derive(Clone, Copy)]
pub(super) enum Found<'a> {
    Number(i64),
    Text(&'a str),
    Amount(&'a str),
    Switch(bool),
    /// A list of so many items.
    List(usize),
    /// A map of so many entries.
    Map(usize),
}

/// Where a value is.
pub(super) struct Place {
    root: &'static str,
    steps: Vec<Step>,
    kind: String,
}

#[derive(Clone, Copy)]
enum Step {
    Field(&'static str),
    Item(usize),
}

impl Place {
    /// Returns the path that all values of the kind share: `spec.env[].name`.
    pub(super) fn kind(&self) -> &str {
        &self.kind
    }

    /// Returns the path of this value: `spec.env[0].name`.
    pub(super) fn path(&self) -> String {
        let mut path = self.root.to_owned();
        for step in &self.steps {
            // Writing to a string does not fail.
            let _ = match step {
                Step::Field(name) => write!(path, ".{name}"),
                Step::Item(index) => write!(path, "[{index}]"),
            };
        }
        path
    }

    fn enter(&mut self, step: Step) {
        self.steps.push(step);
        match step {
            Step::Field(name) => {
                self.kind.push('.');
                self.kind.push_str(name);
            }
            Step::Item(_) => self.kind.push_str("[]"),
        }
    }

    fn leave(&mut self) {
        let length = match self.steps.pop() {
            Some(Step::Field(name)) => 1 + name.len(),
            Some(Step::Item(_)) => "[]".len(),
            None => 0,
        };
        self.kind.truncate(self.kind.len().saturating_sub(length));
    }
}

/// Shows every value, less those in maps, whose keys are the user's: no limit is on them.
pub(super) fn walk(
    root: &'static str,
    spec: &impl Serialize,
    look: &mut dyn FnMut(&Place, Found<'_>),
) -> fmt::Result {
    let place = Place { root, steps: Vec::new(), kind: root.to_owned() };
    spec.serialize(&mut Walker { place, look, is_amount: false })
}

/// A serializer that writes nothing.
struct Walker<'l> {
    place: Place,
    look: &'l mut dyn FnMut(&Place, Found<'_>),
    /// Whether the next text is an amount.
    is_amount: bool,
}

impl Walker<'_> {
    fn found(&mut self, value: Found<'_>) {
        (self.look)(&self.place, value);
    }

    fn step(&mut self, step: Step, value: &(impl Serialize + ?Sized)) -> fmt::Result {
        self.place.enter(step);
        value.serialize(&mut *self)?;
        self.place.leave();
        Ok(())
    }
}

/// A list, map or struct that is looked into.
struct Inside<'w, 'l> {
    walker: &'w mut Walker<'l>,
    seen: usize,
}

/// Numbers that fit; larger ones are no numbers of the API.
macro_rules! numbers {
    ($($method:ident $number:ty),+) => {
        $(fn $method(self, value: $number) -> fmt::Result {
            i64::try_from(value).map(|number| self.found(Found::Number(number))).or(Ok(()))
        })+
    };
}

/// Values that have no limits.
macro_rules! unlimited {
    ($($method:ident $value:ty),+) => {
        $(fn $method(self, _: $value) -> fmt::Result {
            Ok(())
        })+
    };
}

impl<'w, 'l> Serializer for &'w mut Walker<'l> {
    type Ok = ();
    type Error = fmt::Error;
    type SerializeSeq = Inside<'w, 'l>;
    type SerializeMap = Inside<'w, 'l>;
    type SerializeStruct = Inside<'w, 'l>;
    // The API has nothing of the kind.
    type SerializeTuple = Impossible<(), fmt::Error>;
    type SerializeTupleStruct = Impossible<(), fmt::Error>;
    type SerializeTupleVariant = Impossible<(), fmt::Error>;
    type SerializeStructVariant = Impossible<(), fmt::Error>;

    numbers!(serialize_i8 i8, serialize_i16 i16, serialize_i32 i32, serialize_i64 i64);
    numbers!(serialize_u8 u8, serialize_u16 u16, serialize_u32 u32, serialize_u64 u64);
    unlimited!(serialize_f32 f32, serialize_f64 f64, serialize_char char);
    unlimited!(serialize_bytes &[u8], serialize_unit_struct &'static str);

    fn serialize_bool(self, is_on: bool) -> fmt::Result {
        self.found(Found::Switch(is_on));
        Ok(())
    }

    fn serialize_str(self, text: &str) -> fmt::Result {
        let is_amount = std::mem::take(&mut self.is_amount);
        self.found(if is_amount { Found::Amount(text) } else { Found::Text(text) });
        Ok(())
    }

    fn serialize_unit(self) -> fmt::Result {
        Ok(())
    }

    fn serialize_none(self) -> fmt::Result {
        Ok(())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> fmt::Result {
        value.serialize(self)
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, name: &'static str) -> fmt::Result {
        self.serialize_str(name)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> fmt::Result {
        self.is_amount = name == QuantityValue::NAME;
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        value: &T,
    ) -> fmt::Result {
        value.serialize(self)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Self::SerializeSeq, fmt::Error> {
        Ok(Inside { walker: self, seen: 0 })
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Self::SerializeMap, fmt::Error> {
        Ok(Inside { walker: self, seen: 0 })
    }

    fn serialize_struct(
        self,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStruct, fmt::Error> {
        Ok(Inside { walker: self, seen: 0 })
    }

    fn serialize_tuple(self, _: usize) -> Result<Self::SerializeTuple, fmt::Error> {
        Err(fmt::Error)
    }

    fn serialize_tuple_struct(
        self,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleStruct, fmt::Error> {
        Err(fmt::Error)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, fmt::Error> {
        Err(fmt::Error)
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, fmt::Error> {
        Err(fmt::Error)
    }
}

impl SerializeSeq for Inside<'_, '_> {
    type Ok = ();
    type Error = fmt::Error;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> fmt::Result {
        self.walker.step(Step::Item(self.seen), value)?;
        self.seen += 1;
        Ok(())
    }

    fn end(self) -> fmt::Result {
        self.walker.found(Found::List(self.seen));
        Ok(())
    }
}

impl SerializeMap for Inside<'_, '_> {
    type Ok = ();
    type Error = fmt::Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, _: &T) -> fmt::Result {
        self.seen += 1;
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, _: &T) -> fmt::Result {
        Ok(())
    }

    fn end(self) -> fmt::Result {
        self.walker.found(Found::Map(self.seen));
        Ok(())
    }
}

impl SerializeStruct for Inside<'_, '_> {
    type Ok = ();
    type Error = fmt::Error;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> fmt::Result {
        self.walker.step(Step::Field(name), value)
    }

    fn end(self) -> fmt::Result {
        Ok(())
    }
}
