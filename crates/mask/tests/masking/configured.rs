//! Places from configuration.

use mask::{Framing, Placeholder};

use crate::carriers::{WIDGETS, check, same};
use crate::support::{Places, mask};

const GADGETS: Places = Places::Of("example.com", "gadgets", None);

#[test]
fn places_from_configuration() {
    check(
        WIDGETS,
        r#"{"spec":{"users":[{"name":"n","token":"x"},{"TOKEN":5}],"pins":[1,"2",null],"logins":{"a":"x","b":[1]},"x":{"key":"y"},"a":{"b":1,"key":2,"c":3},"other":{"token":"x"}}}"#,
        r#"{"spec":{"users":[{"name":"n","token":"<T>"},{"TOKEN":"<T>"}],"pins":["<T>","<T>",null],"logins":{"a":"<T>","b":"<T>"},"x":{"key":"<T>"},"a":{"b":"<T>","key":"<T>","c":3},"other":{"token":"x"}}}"#,
    );
    same(Places::Pods, r#"{"spec":{"users":[{"token":"x"}],"pins":[1]}}"#);
    // Columns of a table can print them.
    let table = |cells: &str| {
        format!(r#"{{"kind":"Table","rows":[{{"cells":{cells},"object":{{"spec":{{}}}}}},{{"cells":[]}}]}}"#)
    };
    for framed in [|table: String| table, |table: String| format!(r#"{{"object":{table}}}"#)] {
        let out =
            mask(Framing::One, WIDGETS, framed(table(r#"["name","x",5,null,["x"]]"#)).as_bytes()).unwrap();
        let expected =
            framed(table(r#"["name","<T>","<T>",null,"<T>"]"#)).replace("<T>", Placeholder::Text.as_str());
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }
    let failure =
        r#"{"object":{"kind":"Status","message":"x is bad","details":{"causes":[{"message":"x"}]}}}"#;
    let out = mask(Framing::Sequence, WIDGETS, failure.as_bytes()).unwrap();
    assert!(!String::from_utf8(out).unwrap().contains("\"x"));
}

/// A place from configuration takes nothing from what holds anywhere, nor that from it.
#[test]
fn places_that_cross_what_holds_anywhere() {
    for (input, expected) in [
        (
            r#"{"spec":{"logins":{"env":{"password":"x"},"kind":{"password":"x"},"apiVersion":{"password":"x"},"a":{"password":"x"}}}}"#,
            r#"{"spec":{"logins":{"env":{"password":"<T>"},"kind":{"password":"<T>"},"apiVersion":{"password":"<T>"},"a":{"password":"<T>"}}}}"#,
        ),
        (
            r#"{"spec":{"logins":{"env":[{"name":"TOKEN","value":"x","password":"y"},{"name":"PORT","value":"1","password":"y"}]}}}"#,
            r#"{"spec":{"logins":{"env":[{"name":"TOKEN","value":"<T>","password":"y"},{"name":"PORT","value":"1","password":"y"}]}}}"#,
        ),
        (
            r#"{"spec":{"env":[{"name":"TOKEN","value":"x","note":"y"},{"name":"PORT","value":"1","note":"y"},{"value":"x","note":"y","name":"PORT"},{"name":"PORT","name":"TOKEN","value":"x"}]}}"#,
            r#"{"spec":{"env":[{"name":"TOKEN","value":"<T>","note":"<T>"},{"name":"PORT","value":"1","note":"<T>"},{"value":"<T>","note":"<T>","name":"PORT"},{"name":"PORT","name":"TOKEN","value":"<T>"}]}}"#,
        ),
        (
            r#"{"spec":{"auth":{"token":"x","password":"y"},"AUTH":{"token":"x","password":"y"}}}"#,
            r#"{"spec":{"auth":{"token":"<T>","password":"<T>"},"AUTH":{"token":"<T>","password":"<T>"}}}"#,
        ),
        (
            r#"{"spec":{"manifest":{"kind":"Secret","data":{"a":"x"},"metadata":{"owner":"y","annotations":{"b/last-applied":"{\"data\":{\"a\":\"x\"}}"}}}}}"#,
            r#"{"spec":{"manifest":{"kind":"Secret","data":{"a":"<D>"},"metadata":{"owner":"<T>","annotations":{"b/last-applied":"<T>"}}}}}"#,
        ),
        (
            r#"{"metadata":{"annotations":{"x-last-applied":"{\"spec\":{\"auth\":{\"token\":\"x\"}}}"}}}"#,
            r#"{"metadata":{"annotations":{"x-last-applied":"<T>"}}}"#,
        ),
    ] {
        check(GADGETS, input, expected);
    }
}
