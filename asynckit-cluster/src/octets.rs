//! Bytes that serde takes number by number: a `Vec<u8>`, a `&[u8]`. Of a large one that is most of what a call takes, so
//! they are copied as a whole. What is written is the same. (A list of something else is serialized twice: at its first
//! entry it shows that it is none of bytes.)

use std::any::{Any, TypeId};
use std::fmt;

use asynckit::BoxError;
use serde::de::DeserializeOwned;
use serde::ser::{Error, Impossible, Serialize, SerializeSeq, Serializer};

use crate::wire::{self, whole};

/// As postcard writes it.
pub(crate) fn write<T: Serialize>(value: &T) -> Result<Vec<u8>, BoxError> {
    value.serialize(List).or_else(|Other| postcard::to_stdvec(value).map_err(wire::told))
}

/// As postcard reads it.
pub(crate) fn read<T: DeserializeOwned + 'static>(bytes: &[u8]) -> Result<T, BoxError> {
    if TypeId::of::<T>() == TypeId::of::<Vec<u8>>() {
        let octets: bytes::Bytes = whole(bytes)?;
        let octets: Box<dyn Any> = Box::new(Vec::from(octets));
        if let Ok(octets) = octets.downcast() {
            return Ok(*octets);
        }
    }
    whole(bytes)
}

/// It is no list of bytes.
#[derive(Debug)]
struct Other;

impl fmt::Display for Other {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no list of bytes")
    }
}

impl std::error::Error for Other {}

impl Error for Other {
    fn custom<T: fmt::Display>(_: T) -> Other {
        Other
    }
}

/// Writes a list, if it is one of bytes.
struct List;

/// One of them.
struct One;

/// For so many there is room at once.
const AT_ONCE: usize = 64 << 20;

/// The list, as far as it is written: its length, and the bytes.
struct Written {
    bytes: Vec<u8>,
    left: usize,
}

impl SerializeSeq for Written {
    type Ok = Vec<u8>;
    type Error = Other;

    #[inline]
    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Other> {
        let byte = value.serialize(One)?;
        if self.bytes.len() == self.bytes.capacity() {
            self.bytes.reserve(self.left.min(AT_ONCE));
        }
        self.left = self.left.checked_sub(1).ok_or(Other)?;
        self.bytes.push(byte);
        Ok(())
    }

    fn end(self) -> Result<Vec<u8>, Other> {
        if self.left == 0 { Ok(self.bytes) } else { Err(Other) }
    }
}

/// Refuses what is something else.
macro_rules! refuse {
    ($($name:ident($($of:ty),*);)*) => {
        $(fn $name(self, $(_: $of),*) -> Result<Self::Ok, Other> { Err(Other) })*
    };
    (parts $($name:ident($($of:ty),*) -> $part:ident;)*) => {
        $(fn $name(self, $(_: $of),*) -> Result<Self::$part, Other> { Err(Other) })*
    };
    (all) => {
        type Error = Other;
        type SerializeTuple = Impossible<Self::Ok, Other>;
        type SerializeTupleStruct = Impossible<Self::Ok, Other>;
        type SerializeTupleVariant = Impossible<Self::Ok, Other>;
        type SerializeMap = Impossible<Self::Ok, Other>;
        type SerializeStruct = Impossible<Self::Ok, Other>;
        type SerializeStructVariant = Impossible<Self::Ok, Other>;
        refuse! {
            serialize_bool(bool); serialize_i8(i8); serialize_i16(i16); serialize_i32(i32); serialize_i64(i64);
            serialize_i128(i128); serialize_u16(u16); serialize_u32(u32); serialize_u64(u64); serialize_u128(u128);
            serialize_f32(f32); serialize_f64(f64); serialize_char(char); serialize_str(&str); serialize_bytes(&[u8]);
            serialize_none(); serialize_unit(); serialize_unit_struct(&'static str);
            serialize_unit_variant(&'static str, u32, &'static str);
        }
        refuse! {
            parts
            serialize_tuple(usize) -> SerializeTuple;
            serialize_tuple_struct(&'static str, usize) -> SerializeTupleStruct;
            serialize_tuple_variant(&'static str, u32, &'static str, usize) -> SerializeTupleVariant;
            serialize_map(Option<usize>) -> SerializeMap;
            serialize_struct(&'static str, usize) -> SerializeStruct;
            serialize_struct_variant(&'static str, u32, &'static str, usize) -> SerializeStructVariant;
        }
        fn serialize_some<T: Serialize + ?Sized>(self, _: &T) -> Result<Self::Ok, Other> {
            Err(Other)
        }
        fn serialize_newtype_struct<T: Serialize + ?Sized>(
            self, _: &'static str, _: &T,
        ) -> Result<Self::Ok, Other> {
            Err(Other)
        }
        fn serialize_newtype_variant<T: Serialize + ?Sized>(
            self, _: &'static str, _: u32, _: &'static str, _: &T,
        ) -> Result<Self::Ok, Other> {
            Err(Other)
        }
        fn collect_str<T: fmt::Display + ?Sized>(self, _: &T) -> Result<Self::Ok, Other> {
            Err(Other)
        }
        fn is_human_readable(&self) -> bool {
            false
        }
    };
}

impl Serializer for List {
    type Ok = Vec<u8>;
    type SerializeSeq = Written;
    refuse!(all);

    fn serialize_u8(self, _: u8) -> Result<Vec<u8>, Other> {
        Err(Other)
    }

    fn serialize_seq(self, length: Option<usize>) -> Result<Written, Other> {
        let left = length.ok_or(Other)?;
        let bytes = postcard::to_stdvec(&left).map_err(|_| Other)?;
        Ok(Written { bytes, left })
    }
}

impl Serializer for One {
    type Ok = u8;
    type SerializeSeq = Impossible<u8, Other>;
    refuse!(all);

    #[inline]
    fn serialize_u8(self, value: u8) -> Result<u8, Other> {
        Ok(value)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Self::SerializeSeq, Other> {
        Err(Other)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, VecDeque};

    use super::*;

    fn is_written_as_ever<T: Serialize>(value: &T) {
        assert_eq!(write(value).unwrap(), postcard::to_stdvec(value).unwrap());
    }

    #[test]
    fn what_is_written_is_what_postcard_writes() {
        let long: Vec<u8> = (0..1000).map(|n| n as u8).collect();
        assert_eq!(long.serialize(List).unwrap(), postcard::to_stdvec(&long).unwrap());
        long[..].serialize(List).unwrap();
        is_written_as_ever(&long);
        is_written_as_ever(&&long[..]);
        is_written_as_ever(&Box::<[u8]>::from(&long[..]));
        is_written_as_ever(&VecDeque::from(long.clone()));
        is_written_as_ever(&Vec::<u8>::new());
        is_written_as_ever(&Vec::<u16>::new());
        is_written_as_ever(&vec![1_u16, 2]);
        is_written_as_ever(&vec![Some(1_u8), None]);
        is_written_as_ever(&vec![vec![1_u8], vec![]]);
        is_written_as_ever(&[1_u8, 2, 3]);
        is_written_as_ever(&(long.clone(), "text", 5_i64));
        is_written_as_ever(&BTreeMap::from([(1_u8, "one")]));
        is_written_as_ever(&bytes::Bytes::from(long));
        is_written_as_ever(&());
    }

    #[test]
    fn what_was_written_is_read() {
        let long: Vec<u8> = (0..1000).map(|n| n as u8).collect();
        assert_eq!(read::<Vec<u8>>(&write(&long).unwrap()).unwrap(), long);
        assert_eq!(read::<VecDeque<u8>>(&write(&long).unwrap()).unwrap(), long);
        assert!(read::<Vec<u8>>(&[0]).unwrap().is_empty());
        let numbers = vec![1_u16, 300];
        assert_eq!(read::<Vec<u16>>(&write(&numbers).unwrap()).unwrap(), numbers);
        // Too few, and too many.
        read::<Vec<u8>>(&[3, 1, 2]).unwrap_err();
        read::<Vec<u8>>(&[1, 1, 2]).unwrap_err();
        read::<Vec<u8>>(&[]).unwrap_err();
    }
}
