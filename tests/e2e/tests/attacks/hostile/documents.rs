//! B7, E5: documents that two readers read in two ways, and that say to be something else than was asked for.

use crate::case::Gated::{self, Masked};

/// Row, path, document, and what comes of it; `None`: nothing but the gate's own 502.
pub(super) type Document = (&'static str, &'static str, &'static str, Option<Gated>);

const MASKED: Option<Gated> = Some(Masked(200));

pub(super) const DOCUMENTS: &[Document] = &[
    // Keys that look like others.
    ("B7", "/escaped-key", r#"{"kind":"Secret","apiVersion":"v1","\u0064ata":{"p":"CANARY64"}}"#, MASKED),
    ("B7", "/doubled-key", r#"{"kind":"Secret","data":{"p":"CANARY64"},"data":{"q":"CANARY64"}}"#, MASKED),
    (
        "B7",
        "/another-case",
        r#"{"kind":"Secret","Data":{"p":"CANARY64"},"STRINGDATA":{"q":"CANARY"}}"#,
        MASKED,
    ),
    (
        "B7",
        "/escaped-and-doubled",
        r#"{"data":{},"\u0064\u0061ta":{"p":"CANARY64"},"dat\u0061":["CANARY"]}"#,
        MASKED,
    ),
    (
        "B7",
        "/another-type",
        r#"{"kind":"Secret","data":["CANARY64",{"x":"CANARY"}],"stringData":"CANARY"}"#,
        MASKED,
    ),
    // No documents.
    ("B7", "/lone-surrogate", r#"{"kind":"Secret","data":{"\ud800":"CANARY64","p":"\udc00CANARY"}}"#, None),
    ("B7", "/trailing", r#"{"kind":"Secret","data":{}} CANARY"#, None),
    ("B7", "/second-document", r#"{"kind":"Secret","data":{}}{"x":"CANARY"}"#, None),
    ("B7", "/unquoted", r#"{"kind":"Secret","x":CANARY}"#, None),
    ("B7", "/raw-control", "{\"kind\":\"Secret\",\"x\":\"a\u{1}CANARY\"}", None),
    ("B7", "/byte-order-mark", "\u{feff}{\"kind\":\"Secret\",\"stringData\":{\"p\":\"CANARY\"}}", None),
    ("B7", "/broken-off", r#"{"kind":"Secret","x":[1,"CANARY"#, None),
    // What an answer says it is does not choose how it is masked.
    (
        "E5",
        "/said-to-be-a-configmap",
        r#"{"kind":"ConfigMap","apiVersion":"v1","data":{"p":"CANARY64"}}"#,
        MASKED,
    ),
    ("E5", "/said-to-be-nothing", r#"{"data":{"p":"CANARY64"}}"#, MASKED),
    (
        "E5",
        "/said-to-be-a-list",
        r#"{"kind":"ConfigMapList","apiVersion":"v1","items":[{"data":{"p":"CANARY64"}}]}"#,
        MASKED,
    ),
    (
        "E5",
        "/said-to-be-a-table",
        r#"{"kind":"Pod","rows":[{"cells":["a"],"object":{"kind":"Pod","data":{"p":"CANARY64"}}}]}"#,
        MASKED,
    ),
    (
        "E5",
        "?watch=true&resourceVersion=6",
        r#"{"type":"ADDED","object":{"kind":"Pod","data":{"p":"CANARY64"}}}"#,
        MASKED,
    ),
];
