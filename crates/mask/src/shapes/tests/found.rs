//! What is masked, each in all the places where text stands.

use std::fmt::Write as _;

use super::super::table::{Follows, SHAPES};
use super::{PLACEHOLDER, marked, redacted};

/// JSON of a string, without its quotation marks.
fn escaped(text: &str) -> String {
    let json = serde_json::to_string(text).unwrap();
    json.strip_prefix('"').and_then(|json| json.strip_suffix('"')).unwrap().to_owned()
}

#[test]
fn the_examples() {
    for shape in SHAPES {
        let (text, expected) = marked(shape.example);
        for (before, after) in
            [("", ""), ("", "\n"), ("x: ", " y"), ("a\nb ", "\nc"), ("'", "'"), ("\\n", "\\n"), ("=", ",")]
        {
            // A value without quotation marks ends with a space or its line.
            let is_bare = matches!(shape.follows, Follows::Named(_)) && shape.example.ends_with('»');
            if is_bare && matches!(after, "'" | ",") {
                continue;
            }
            assert_eq!(
                redacted(&format!("{before}{text}{after}")),
                format!("{before}{expected}{after}"),
                "{}",
                shape.name
            );
        }
    }
}

#[test]
fn the_examples_within_strings_within_strings() {
    for shape in SHAPES {
        let (text, expected) = marked(&shape.example.replace("\\n", "\n"));
        // In a string of its own, a PEM file's line feeds are escaped.
        let (mut text, mut expected) = (format!("\n{text}\n"), format!("\n{expected}\n"));
        for _ in 0..3 {
            text = format!("{{\"data\":\"{}\",\"other\":1}}", escaped(&text));
            expected = format!("{{\"data\":\"{}\",\"other\":1}}", escaped(&expected));
            assert_eq!(redacted(&text), expected, "{}", shape.name);
        }
    }
}

#[test]
fn more_cases() {
    let body = "MIIEpAIBAAKCAQEAu1SU1LfVLPHCozMxH2Mo4lgOEePzNm0tRgeLezV6ffAt0gun";
    let texts = [
        // PEM in logs: any line before, time stamps, carriage returns, cut short.
        format!("2026-01-01T00:00:00Z «-----BEGIN PRIVATE KEY-----\n2026-01-01T00:00:00Z {body}\n2026-01-01T00:00:00Z -----END PRIVATE KEY-----»\nnext"),
        format!("a\n«-----BEGIN OPENSSH PRIVATE KEY-----\r\n{body}\r\n-----END OPENSSH PRIVATE KEY-----»\r\n"),
        format!("key: |\n    «-----BEGIN DSA PRIVATE KEY----- \n    {body}\n    -----END DSA PRIVATE KEY-----»\nb: c\n"),
        format!("«-----BEGIN PGP PRIVATE KEY BLOCK-----\nVersion: GnuPG v2\n\n{body}\n=abcd\n-----END PGP PRIVATE KEY BLOCK-----»\n"),
        format!("«-----BEGIN PRIVATE KEY-----\n{body}\nno end»"),
        // PEM in strings.
        format!(r#"{{"k":"«-----BEGIN ENCRYPTED PRIVATE KEY-----\n{body}\n-----END ENCRYPTED PRIVATE KEY-----»\n","b":1}}"#),
        format!(r#"{{"k":"«-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\n{body}\n-----END RSA PRIVATE KEY-----»"}}"#),
        format!(r#"{{"k":"{{\"x\":\"«-----BEGIN RSA PRIVATE KEY-----\\n{body}\\n-----END RSA PRIVATE KEY-----»\\n\",\"y\":2}}","b":1}}"#),
        format!(r#"{{"k":"«-----BEGIN RSA PRIVATE KEY-----\n{body}\nMIIE»","b":"-----END RSA PRIVATE KEY-----"}}"#),
        format!(r#"{{"k":"{{\"x\":\"«-----BEGIN RSA PRIVATE KEY-----\\n{body}»\",\"y\":2}}","b":1}}"#),
        format!("KEY='«-----BEGIN PRIVATE KEY----- {body} -----END PRIVATE KEY-----»' next"),
        format!(r#"{{"type":"service_account","private_key":"«-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----»\n","client_email":"a@b.iam"}}"#),
        // A certificate and its key.
        format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n«-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----»\n"),
        // kubeconfigs.
        "users:\n- name: a\n  user:\n    client-certificate-data: LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCk1JSUM=\n    client-key-data: «LS0tLS1CRUdJTiBSU0EgUFJJVkFURSBLRVktLS0tLQo=»\n".to_owned(),
        r#"{"users":[{"user":{"client-key-data":"«TUlJRXBBSUJBQUtDQVFFQXUxU1U=»","token":"«0a1b2c3d4e5f60718293a4b5»"}}]}"#.to_owned(),
        r#"{"config":"users:\n- user:\n    token: «0a1b2c3d4e5f60718293a4b5»\n    username: admin\n    password: «hunter2»\n"}"#.to_owned(),
        r#"{"config":"auth-provider:\n  config:\n    id-token: «abcdefgh12345678»\n    refresh-token: \"«abcdefgh12345678»\"\n    access-token: '«abcdefgh12345678»'\n"}"#.to_owned(),
        r#"{"config":"{\"users\":[{\"user\":{\"password\":\"«hunt\\\"er 2\\n»\",\"token\":null}}]}","b":1}"#.to_owned(),
        // Ends of strings.
        r#"{"password":"«ends in a backslash\\»","b":1}"#.replace(r"\\»", r"»\\"),
        r#"{"password":"«quote\"d and \u0026 and \n more»","b":"c"}"#.to_owned(),
        r#"{"args":["--password=«hunter2x»","--token=«abcdef.0123456789abcdef»"],"b":1}"#.to_owned(),
        r#"{"note":"password=«hunter2x»\u0026user=x"}"#.to_owned(),
        r#"time="now" level=info password="«hunter2 x»" user=a"#.to_owned(),
        "DB_PASSWORD='«hunter2x»'\nexport API_KEY=«0a1b2c3d4e5f6071»\nREDIS_TOKEN = «0a1b2c3d4e5f6071»\n".to_owned(),
        "DB_PASS=«hunter2x»\nMYSQL_PWD=«hunter2x»\nAPP_SECRET=«0a1b2c3d4e5f6071»\nServer=db;Uid=app;Pwd=«hunter2x»;Encrypt=true".to_owned(),
        "password: «correcthorse»\nPassword=«correcthorse» next".to_owned(),
        format!("password: «-----BEGIN EC PRIVATE KEY-----\n{body}\n-----END EC PRIVATE KEY-----»\n"),
        format!(r#"{{"password":"«-----BEGIN EC PRIVATE KEY-----\n{body}\n-----END EC PRIVATE KEY-----»\n"}}"#),
        // URLs.
        "amqp://:«p@ss:w0rd»@rabbit:5672/ and https://user:«x%40y»@git.example.com/repo.git".to_owned(),
        r#"{"url":"https://user:«p\u0026q»@host/","b":"\"https://u:«pw»@h\""}"#.to_owned(),
        // Encoded.
        format!("{}«{}»", "", "LS0tLS1CRUdJTiBQUklWQVRFIEtFWS0tLS0tCk1JSUU="),
        format!("{}\"", "{\"caBundle\":\"LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCk1JSUM=\",\"k\":\"«LS0tLS1CRUdJTiBSU0EgUFJJVkFURSBLRVktLS0tLQpNSUlF»"),
    ];
    for text in texts {
        let (text, expected) = marked(&text);
        assert_eq!(redacted(&text), expected, "{text}");
    }
}

#[test]
fn private_keys_in_base64_at_any_alignment() {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    for kind in ["", "RSA ", "EC ", "OPENSSH ", "ENCRYPTED "] {
        for before in ["", "a", "ab", "-----END CERTIFICATE-----\n"] {
            let key = format!("-----BEGIN {kind}PRIVATE KEY-----\nMIIEpAIBAAKCAQEA\n");
            let encoded = STANDARD.encode(format!("{before}{key}"));
            let out = redacted(&format!("{{\"a\":\"{encoded}\"}}"));
            assert!(out.ends_with(&format!("{PLACEHOLDER}\"}}")), "{out}");
            // Nothing of the key is left but what shares a character with what comes before it.
            let left = out.len() - PLACEHOLDER.len() - 8;
            assert!(left <= (before.len() * 8).div_ceil(6), "{out}");
        }
    }
}

#[test]
fn kubeconfigs_in_base64_at_any_alignment() {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    for before in ["", " ", "  "] {
        for secret in [
            "    client-key-data: TUlJRXBBSUJBQUtDQVFFQXUxU1U=\n",
            "    token: 0a1b2c3d4e5f60718293a4b5\n",
            "{\"token\":\"0a1b2c3d4e5f60718293a4b5\"}",
        ] {
            let text = STANDARD.encode(format!("{before}kind: Config\nusers:\n- name: x\n  user:\n{secret}"));
            assert!(redacted(&text).ends_with(PLACEHOLDER), "{before:?} {secret}");
        }
    }
}

#[test]
fn long_ones_are_masked_to_their_end() {
    let line = "MIIEpAIBAAKCAQEAu1SU1LfVLPHCozMxH2Mo4lgOEePzNm0tRgeLezV6ffAt0gun";
    let mut body = String::new();
    for _ in 0..200 {
        let _ = write!(body, "{line}\\\\n");
    }
    let texts = [
        format!(
            r#"{{"a":"{{\"k\":\"«-----BEGIN RSA PRIVATE KEY-----\\n{body}-----END RSA PRIVATE KEY-----»\\n\",\"y\":2}}"}}"#
        ),
        format!("«eyJhbGciOiJSUzI1NiJ9.{}.c2ln» next", "eyJh".repeat(5000)),
        format!("{{\"password\":\"«{}»\",\"b\":1}}", "x1".repeat(5000)),
        format!("Bearer «{}» next", "a1".repeat(5000)),
    ];
    for text in texts {
        let (text, expected) = marked(&text);
        assert_eq!(redacted(&text), expected);
    }
}
