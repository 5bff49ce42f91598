//! A serde serializer that writes canonical JSON at once: the data path's way, without a `Value` in between.

use super::{Error, MAX_INTEGER, write_string};
use serde::ser::{self, Impossible, Serialize};
use std::borrow::Cow;
use std::fmt::Display;
use std::ops::Range;

/// The canonical bytes of anything that serde can serialize to the values of [`crate::canonical`].
///
/// # Errors
/// For a number other than an exact integer, for bytes, and for variants with several fields.
pub fn serialize<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, Error> {
    let mut out = Vec::with_capacity(1024);
    value.serialize(Writer { out: &mut out })?;
    Ok(out)
}

struct Writer<'a> {
    out: &'a mut Vec<u8>,
}

struct Items<'a> {
    out: &'a mut Vec<u8>,
    first: bool,
}

/// An object in the making: members as they come, put in order at the end if they are not.
struct Members<'a> {
    out: &'a mut Vec<u8>,
    start: usize,
    members: Vec<(Cow<'static, str>, Range<usize>)>,
    /// The key of the member that comes next, in a map.
    key: Option<String>,
}

impl ser::Error for Error {
    fn custom<T: Display>(message: T) -> Self {
        Self::Unspeakable(message.to_string())
    }
}

fn unspeakable<T>(what: &str) -> Result<T, Error> {
    Err(Error::Unspeakable(what.to_owned()))
}

// === impl Writer ===

impl Writer<'_> {
    fn literal(self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
    }

    fn number(self, number: impl Display, exact: bool) -> Result<(), Error> {
        if !exact {
            return Err(Error::Number(number.to_string()));
        }
        self.literal(&number.to_string());
        Ok(())
    }
}

impl<'a> ser::Serializer for Writer<'a> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Items<'a>;
    type SerializeTuple = Items<'a>;
    type SerializeTupleStruct = Items<'a>;
    type SerializeTupleVariant = Impossible<(), Error>;
    type SerializeMap = Members<'a>;
    type SerializeStruct = Members<'a>;
    type SerializeStructVariant = Impossible<(), Error>;

    fn serialize_bool(self, v: bool) -> Result<(), Error> {
        self.literal(if v { "true" } else { "false" });
        Ok(())
    }

    fn serialize_i8(self, v: i8) -> Result<(), Error> {
        self.serialize_i64(v.into())
    }

    fn serialize_i16(self, v: i16) -> Result<(), Error> {
        self.serialize_i64(v.into())
    }

    fn serialize_i32(self, v: i32) -> Result<(), Error> {
        self.serialize_i64(v.into())
    }

    fn serialize_i64(self, v: i64) -> Result<(), Error> {
        self.number(v, v.unsigned_abs() <= MAX_INTEGER)
    }

    fn serialize_u8(self, v: u8) -> Result<(), Error> {
        self.serialize_u64(v.into())
    }

    fn serialize_u16(self, v: u16) -> Result<(), Error> {
        self.serialize_u64(v.into())
    }

    fn serialize_u32(self, v: u32) -> Result<(), Error> {
        self.serialize_u64(v.into())
    }

    fn serialize_u64(self, v: u64) -> Result<(), Error> {
        self.number(v, v <= MAX_INTEGER)
    }

    fn serialize_f32(self, v: f32) -> Result<(), Error> {
        self.number(v, false)
    }

    fn serialize_f64(self, v: f64) -> Result<(), Error> {
        self.number(v, false)
    }

    fn serialize_char(self, v: char) -> Result<(), Error> {
        self.serialize_str(v.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, v: &str) -> Result<(), Error> {
        write_string(self.out, v);
        Ok(())
    }

    fn serialize_bytes(self, _: &[u8]) -> Result<(), Error> {
        unspeakable("bytes")
    }

    fn serialize_none(self) -> Result<(), Error> {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Error> {
        self.literal("null");
        Ok(())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Error> {
        self.serialize_unit()
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<(), Error> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        let mut members = Members::new(self.out, 1);
        members.member(Cow::Borrowed(variant), value)?;
        members.finish();
        Ok(())
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Items<'a>, Error> {
        self.out.push(b'[');
        Ok(Items { out: self.out, first: true })
    }

    fn serialize_tuple(self, len: usize) -> Result<Items<'a>, Error> {
        self.serialize_seq(Some(len))
    }

    fn serialize_tuple_struct(self, _: &'static str, len: usize) -> Result<Items<'a>, Error> {
        self.serialize_seq(Some(len))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, Error> {
        unspeakable("a variant with several fields")
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Members<'a>, Error> {
        Ok(Members::new(self.out, 0))
    }

    fn serialize_struct(self, _: &'static str, len: usize) -> Result<Members<'a>, Error> {
        Ok(Members::new(self.out, len))
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, Error> {
        unspeakable("a variant with several fields")
    }
}

// === impl Items ===

impl Items<'_> {
    fn item<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        if !std::mem::take(&mut self.first) {
            self.out.push(b',');
        }
        value.serialize(Writer { out: self.out })
    }

    fn finish(self) {
        self.out.push(b']');
    }
}

impl ser::SerializeSeq for Items<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.item(value)
    }

    fn end(self) -> Result<(), Error> {
        self.finish();
        Ok(())
    }
}

impl ser::SerializeTuple for Items<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.item(value)
    }

    fn end(self) -> Result<(), Error> {
        self.finish();
        Ok(())
    }
}

impl ser::SerializeTupleStruct for Items<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.item(value)
    }

    fn end(self) -> Result<(), Error> {
        self.finish();
        Ok(())
    }
}

// === impl Members ===

impl<'a> Members<'a> {
    fn new(out: &'a mut Vec<u8>, len: usize) -> Self {
        let start = out.len();
        out.push(b'{');
        Self { out, start, members: Vec::with_capacity(len), key: None }
    }

    fn member<T: Serialize + ?Sized>(&mut self, key: Cow<'static, str>, value: &T) -> Result<(), Error> {
        if !self.members.is_empty() {
            self.out.push(b',');
        }
        let start = self.out.len();
        write_string(self.out, &key);
        self.out.push(b':');
        value.serialize(Writer { out: self.out })?;
        self.members.push((key, start..self.out.len()));
        Ok(())
    }

    fn finish(mut self) {
        // RFC 8785 section 3.2.3 orders keys by UTF-16 code units.
        let in_order = |a: &(Cow<'static, str>, _), b: &(Cow<'static, str>, _)| {
            a.0.encode_utf16().cmp(b.0.encode_utf16())
        };
        if !self.members.is_sorted_by(|a, b| in_order(a, b).is_lt()) {
            self.members.sort_by(in_order);
            let as_they_came = self.out.split_off(self.start);
            self.out.push(b'{');
            for (i, (_, range)) in self.members.iter().enumerate() {
                if i > 0 {
                    self.out.push(b',');
                }
                let range = range.start - self.start..range.end - self.start;
                self.out.extend_from_slice(as_they_came.get(range).unwrap_or_default());
            }
        }
        self.out.push(b'}');
    }
}

impl ser::SerializeStruct for Members<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), Error> {
        self.member(Cow::Borrowed(key), value)
    }

    fn end(self) -> Result<(), Error> {
        self.finish();
        Ok(())
    }
}

impl ser::SerializeMap for Members<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Error> {
        // Keys are strings; whatever else serde offers fails to read back as one.
        let text = serialize(key)?;
        let key = serde_json::from_slice(&text)
            .map_err(|_| Error::Unspeakable("a key that is no string".to_owned()));
        self.key = Some(key?);
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        let Some(key) = self.key.take() else { return unspeakable("a value without a key") };
        self.member(Cow::Owned(key), value)
    }

    fn end(self) -> Result<(), Error> {
        self.finish();
        Ok(())
    }
}
