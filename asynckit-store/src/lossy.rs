//! What can't be told apart when it is read again: `Some(None)` and `Some(())` are written as `None` is, since the
//! format has but one word for nothing.

use std::fmt;

use serde::ser::{self, Serialize, Serializer};

/// Whether a value that was written would be another one when it is read again.
pub(crate) fn is_lossy<T: Serialize + ?Sized>(value: &T) -> bool {
    value.serialize(Look { in_some: false }) == Err(Found)
}

/// Looks through a value.
#[derive(Clone, Copy)]
struct Look {
    /// Right within a `Some`.
    in_some: bool,
}

/// Such a `Some` was found. (What can't be serialized has not been written before.)
#[derive(Debug, PartialEq)]
struct Found;

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("it has a `Some` that holds nothing")
    }
}

impl std::error::Error for Found {}

impl ser::Error for Found {
    fn custom<T: fmt::Display>(_: T) -> Found {
        Found
    }
}

const WITHIN: Look = Look { in_some: false };

impl Look {
    fn nothing(self) -> Result<(), Found> {
        if self.in_some { Err(Found) } else { Ok(()) }
    }
}

macro_rules! plain {
    ($($method:ident: $type:ty),*) => { $(
        fn $method(self, _: $type) -> Result<(), Found> {
            Ok(())
        }
    )* };
}

macro_rules! compound {
    ($($method:ident($($type:ty),*)),*) => { $(
        fn $method(self, $(_: $type),*) -> Result<Look, Found> {
            Ok(WITHIN)
        }
    )* };
}

impl Serializer for Look {
    type Ok = ();
    type Error = Found;
    type SerializeSeq = Look;
    type SerializeTuple = Look;
    type SerializeTupleStruct = Look;
    type SerializeTupleVariant = Look;
    type SerializeMap = Look;
    type SerializeStruct = Look;
    type SerializeStructVariant = Look;

    plain! {
        serialize_bool: bool, serialize_char: char, serialize_str: &str, serialize_bytes: &[u8],
        serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64, serialize_i128: i128,
        serialize_u8: u8, serialize_u16: u16, serialize_u32: u32, serialize_u64: u64, serialize_u128: u128,
        serialize_f32: f32, serialize_f64: f64, serialize_unit_struct: &'static str
    }

    fn serialize_none(self) -> Result<(), Found> {
        self.nothing()
    }

    fn serialize_unit(self) -> Result<(), Found> {
        self.nothing()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Found> {
        value.serialize(Look { in_some: true })
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, _: &'static str) -> Result<(), Found> {
        Ok(())
    }

    /// As what is in it.
    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), Found> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        value: &T,
    ) -> Result<(), Found> {
        value.serialize(WITHIN)
    }

    compound! {
        serialize_seq(Option<usize>), serialize_tuple(usize), serialize_map(Option<usize>),
        serialize_struct(&'static str, usize), serialize_tuple_struct(&'static str, usize),
        serialize_struct_variant(&'static str, u32, &'static str, usize),
        serialize_tuple_variant(&'static str, u32, &'static str, usize)
    }

    /// As the format is.
    fn is_human_readable(&self) -> bool {
        false
    }
}

macro_rules! parts {
    ($($compound:ident: $method:ident $(($($before:ty),*))?),* $(,)?) => { $(
        impl ser::$compound for Look {
            type Ok = ();
            type Error = Found;

            fn $method<T: Serialize + ?Sized>(
                &mut self,
                $($(_: $before,)*)?
                value: &T,
            ) -> Result<(), Found> {
                value.serialize(WITHIN)
            }

            fn end(self) -> Result<(), Found> {
                Ok(())
            }
        }
    )* };
}
parts! {
    SerializeSeq: serialize_element,
    SerializeTuple: serialize_element,
    SerializeTupleStruct: serialize_field,
    SerializeTupleVariant: serialize_field,
    SerializeStruct: serialize_field(&'static str),
    SerializeStructVariant: serialize_field(&'static str),
}

impl ser::SerializeMap for Look {
    type Ok = ();
    type Error = Found;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Found> {
        key.serialize(WITHIN)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Found> {
        value.serialize(WITHIN)
    }

    fn end(self) -> Result<(), Found> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Serialize};

    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Within<T>(T);

    /// What the format itself makes of a value.
    fn comes_back<T: Serialize + serde::de::DeserializeOwned + PartialEq>(value: &T) -> bool {
        let bytes = rmp_serde::to_vec_named(value).unwrap();
        rmp_serde::from_slice::<T>(&bytes).is_ok_and(|again| again == *value)
    }

    #[test]
    fn it_is_found_wherever_the_format_loses_it() {
        fn check<T: Serialize + serde::de::DeserializeOwned + PartialEq>(value: T, lossy: bool) {
            assert_eq!((is_lossy(&value), comes_back(&value)), (lossy, !lossy));
        }
        check(Some(None::<u8>), true);
        check(Some(()), true);
        check(vec![Some(Some(1)), Some(None)], true);
        check(Some(Within(None::<u8>)), true);
        check(BTreeMap::from([(1, (2, Some(())))]), true);
        check(Ok::<_, u8>(Some(Within(()))), true);
        check(Some(Some(Some(3))), false);
        check(None::<Option<u8>>, false);
        check(Some(vec![None::<u8>]), false);
        check(Some((None::<u8>, ())), false);
        check((Some(1), [None, Some("a".to_owned())], ()), false);
    }
}
