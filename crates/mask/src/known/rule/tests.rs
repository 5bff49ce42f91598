use super::*;

fn judge(value: &str) -> f64 {
    once(value.as_bytes()).split(|byte| SEPARATORS.contains(byte)).map(bits).sum()
}

#[test]
fn looked_for() {
    for value in [
        // 48 bits in hexadecimal, and more.
        "9f86d081884c",
        "a3f5c9e17b20",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "E3B0C44298FC1C149AFBF4C8996FB924",
        // Generated passwords, with and without symbols.
        "Xk9fTq2Lm8Zr",
        "k3j9x0q2m5zt",
        "xK#9f$Tq!2Lm@8Z",
        "7^gT!p0&Wz$4mQ",
        "qzjxkvwpfmtb",
        "hG7sKd93LmQz81Xv",
        // Keys and tokens in forms of their own.
        "3f1c7a52-7f5e-4e0b-9a53-8f0b0d8f2a11",
        "X7K9-4F2Q-9ZB3-T6W1",
        "JBSWY3DPEHPK3PXP",
        "AKIAQ3EGRT7PXK2LMZ4W",
        "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
        "https://hooks.example.com/services/T024BE7LD/B4D6AJK3/XXp9Lk2vQm8Zr1Ty",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
        "bWFza2VkIHZhbHVlcyBhcmUgbWFza2Vk",
        "5521908347120964",
        // A password within more.
        "postgres://app:k3j9x0q2m5zt@db.prod.svc:5432/app",
        r#"{"user":"app","password":"Xk9fTq2Lm8Zr"}"#,
    ] {
        assert!(unguessable(value.as_bytes()), "{value}: {}", judge(value));
    }
    assert!(unguessable(&[0, 1, 200, 17, 99, 250, 130, 7, 66, 180, 31, 5]));
}

#[test]
fn not_looked_for() {
    for value in [
        "",
        "true",
        // Too short, however random.
        "Xk9fTq2Lm8Z",
        // Words, and what people make of them.
        "administrator",
        "production-database",
        "correct-horse-battery-staple",
        "changeme12345",
        "Password123456",
        "Summer2024!!",
        "Passw0rd1234",
        "P@ssw0rd!2024",
        "sup3rs3cr3tp4ss",
        "qwertyuiop1234567",
        "1q2w3e4r5t6y7u8i",
        "deadbeefcafe",
        "masterPasswordForDatabase",
        "пароль-очень-секретный",
        // Names and addresses.
        "postgres.default.svc",
        "postgres.default.svc.cluster.local:5432",
        "https://kubernetes.default.svc.cluster.local:443/api/v1/namespaces",
        "http://10.0.12.5:8080/path",
        "postgres://postgres:postgres@db:5432/app",
        "postgres://app:s3cR3t-Pa55w0rd@db:5432/app",
        "registry.example.com/payments/app:v1.2.3",
        "eu-central-1a.compute.internal",
        "system:serviceaccount:kube-system:default",
        "-----BEGIN RSA PRIVATE KEY-----",
        "kubernetes.io/service-account-token",
        "application/json; charset=utf-8",
        "dockerconfigjson",
        // Numbers and times.
        "2024-01-15T10:00:00Z",
        "20240115100000",
        "1700000000000",
        "+49 30 1234567890",
        "192.168.100.200",
        "500m,1024Mi,10Gi,3600s",
        "123456789012345678901234567890",
        // Repetitions.
        "aaaaaaaaaaaaaaaaaaaaaaaa",
        "abcabcabcabcabcabcabcabc",
        "00000000-0000-0000-0000-000000000000",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "x9!x9!x9!x9!x9!x9!",
        // Configuration.
        "log_level=debug\nport=8080\nmode=production\n",
        r#"{"enabled":true,"replicas":3,"name":"frontend"}"#,
        // What was masked already.
        "masked-by-portcullis--not-the-real-value",
        "bWFza2VkLWJ5LXBvcnRjdWxsaXMtLW5vdC10aGUtcmVhbC12YWx1ZQ==",
    ] {
        assert!(!unguessable(value.as_bytes()), "{value}: {}", judge(value));
    }
    assert!(!unguessable(&[0xff; 40]));
}

/// Of random values of twelve characters, hardly any is taken for a word.
#[test]
fn random_values_are_looked_for() {
    for (alphabet, least) in [
        ("0123456789abcdefghijklmnopqrstuvwxyz", 940),
        ("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", 950),
        ("abcdefghijklmnopqrstuvwxyz", 970),
    ] {
        let alphabet = alphabet.as_bytes();
        let mut state = 1_u64;
        let mut letter = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            alphabet[usize::try_from(state >> 33).unwrap() % alphabet.len()]
        };
        let values: Vec<Vec<u8>> = (0..1000).map(|_| (0..12).map(|_| letter()).collect()).collect();
        let matched = values.iter().filter(|value| unguessable(value)).count();
        assert!(matched >= least, "{matched} of 1000 over {} characters", alphabet.len());
        let long: Vec<Vec<u8>> = (0..1000).map(|_| (0..20).map(|_| letter()).collect()).collect();
        let matched = long.iter().filter(|value| unguessable(value)).count();
        assert!(matched >= 990, "{matched} of 1000 long ones over {} characters", alphabet.len());
    }
}

/// What of a value would be looked for by itself: of a random one its beginning, and never less than it takes.
#[test]
fn beginnings_that_would_be_looked_for() {
    for (value, head) in [
        ("Xk9fTq2Lm8Zrw7Rt9zK2", Some("Xk9fTq2Lm8Zr")),
        ("Xk9fTq2Lm8Zr", Some("Xk9fTq2Lm8Zr")),
        ("Xk9fTq2Lm8Z", None),
        ("postgres://app:Xk9fTq2Lm8Zr@db", Some("postgres://app:Xk9fTq2Lm")),
        ("a sentence of words that anybody guesses", None),
        ("été Xk9fTq2Lm8Zr", Some("été Xk9fTq2Lm")),
        // Neither is half of a character random, nor what comes after a long beginning of words.
        ("слово и ещё слово", None),
    ] {
        let told = telling(value.as_bytes(), End::First).map(|length| value.get(..length).unwrap());
        assert_eq!(told, head, "{value}");
    }
    let (words, random) = ("words ".repeat(50), "Xk9fTq2Lm8Zrw7Rt9zK2");
    assert_eq!(telling(format!("{words}{random}").as_bytes(), End::First), None);
    assert_eq!(telling(&[0x80; 40], End::First), None);
    let binary: Vec<u8> = (0x80..0xa0).collect();
    assert_eq!(telling(&binary, End::First), Some(12));
    for (value, tail) in [
        ("Xk9fTq2Lm8Zrw7Rt9zK2", Some("m8Zrw7Rt9zK2")),
        ("postgres://app:Xk9fTq2Lm8Zr@db.prod", Some("fTq2Lm8Zr@db.prod")),
        ("Xk9fTq2Lm8Zr été", Some("fTq2Lm8Zr été")),
        ("Xk9fTq2Lm8Z", None),
    ] {
        let told =
            telling(value.as_bytes(), End::Last).map(|length| value.get(value.len() - length..).unwrap());
        assert_eq!(told, tail, "{value}");
    }
    assert_eq!(telling(&binary, End::Last), Some(12));
}
