//! Several people in one browser, and their passkeys.

use serde_json::{Value, json};

use browser::Page;

use crate::{Resource, Site, with_browser, with_page};

const SITE: &[Resource] = &[
    ("/", "", "<!doctype html><title>Passkeys</title><button>ask</button>"),
    ("/ada", "set-cookie: user=ada; HttpOnly; SameSite=Strict\r\n", "ada"),
    ("/bob", "set-cookie: user=bob; Path=/bob\r\n", "bob"),
];

#[test]
fn two_pages_are_two_people() {
    with_browser("two_pages_are_two_people", |browser| {
        let site = Site::start(SITE).unwrap();
        let (ada, bob) = (browser.page().unwrap(), browser.page().unwrap());
        ada.goto(&site.url("/ada")).unwrap();
        bob.goto(&site.url("/bob")).unwrap();
        let cookie = |page: &Page| {
            let cookies = page.cookies().unwrap();
            assert_eq!(cookies.len(), 1);
            let cookie = cookies.into_iter().next().unwrap();
            assert!(!cookie.secure && cookie.domain == "localhost" && cookie.expires < 0.0, "{cookie:?}");
            (cookie.value, cookie.path, cookie.http_only, cookie.same_site)
        };
        assert_eq!(cookie(&ada), ("ada".to_owned(), "/".to_owned(), true, Some("Strict".to_owned())));
        assert_eq!(cookie(&bob), ("bob".to_owned(), "/bob".to_owned(), false, None));
        // Whom nobody looks at is drawn too, and has the focus.
        for page in [&ada, &bob] {
            page.wait_for("document.hasFocus() && document.visibilityState === 'visible'").unwrap();
        }
        drop(ada);
        assert_eq!(bob.text().unwrap(), "bob");
    })
    .unwrap();
}

/// Makes a passkey, or says why not.
const CREATE: &str = "navigator.credentials.create({ publicKey: {
    challenge: new Uint8Array(32), rp: { name: 'Portcullis' },
    user: { id: new Uint8Array([7]), name: 'ada', displayName: 'Ada' },
    pubKeyCredParams: [{ type: 'public-key', alg: -7 }],
    authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
} }).then(key => new Uint8Array(key.response.getAuthenticatorData())[32], error => error.name)";

/// Signs with a passkey, and tells the flags of what it signed.
const GET: &str = "navigator.credentials.get({ publicKey: {
    challenge: new Uint8Array(32), userVerification: 'required',
} }).then(key => new Uint8Array(key.response.authenticatorData)[32], error => error.name)";

/// User present, user verified (WebAuthn, section 6.1).
const PRESENT_AND_VERIFIED: u64 = 0b101;

fn verified(flags: &Value) -> bool {
    flags.as_u64().is_some_and(|flags| flags & PRESENT_AND_VERIFIED == PRESENT_AND_VERIFIED)
}

#[test]
fn a_passkey_is_made_and_signs_for_a_verified_user_only() {
    with_page("a_passkey_is_made_and_signs_for_a_verified_user_only", SITE, |page, site| {
        page.goto(&site.url("/")).unwrap();
        let authenticator = page.virtual_authenticator().unwrap();
        assert_eq!(authenticator.credentials().unwrap(), []);
        let made = page.eval(CREATE).unwrap();
        assert!(verified(&made), "{made}");
        let credentials = authenticator.credentials().unwrap();
        assert_eq!(credentials.len(), 1);
        assert_eq!(credentials[0].relying_party.as_deref(), Some("localhost"));
        assert_eq!(credentials[0].user_handle.as_deref(), Some("Bw=="));
        assert!(credentials[0].resident);
        page.reload().unwrap();
        let signed = page.eval(GET).unwrap();
        assert!(verified(&signed), "{signed}");
        assert!(authenticator.credentials().unwrap()[0].sign_count > credentials[0].sign_count);
        authenticator.set_user_verified(false).unwrap();
        assert_eq!(page.eval(GET).unwrap(), "NotAllowedError");
        authenticator.set_user_verified(true).unwrap();
        assert!(verified(&page.eval(GET).unwrap()));
    })
    .unwrap();
}

#[test]
fn passkeys_are_one_persons_own() {
    with_browser("passkeys_are_one_persons_own", |browser| {
        let site = Site::start(SITE).unwrap();
        let (ada, bob) = (browser.page().unwrap(), browser.page().unwrap());
        let devices = [&ada, &bob].map(|page| {
            page.goto(&site.url("/")).unwrap();
            page.virtual_authenticator().unwrap()
        });
        assert!(verified(&ada.eval(CREATE).unwrap()));
        let counts = devices.map(|device| device.credentials().unwrap().len());
        assert_eq!(json!(counts), json!([1, 0]));
        assert_eq!(bob.eval(GET).unwrap(), "NotAllowedError");
        assert!(verified(&ada.eval(GET).unwrap()));
    })
    .unwrap();
}

#[test]
fn passkeys_work_where_the_certificate_is_ignored() {
    with_browser("passkeys_work_where_the_certificate_is_ignored", |browser| {
        let site = Site::with_tls(SITE).unwrap();
        let page = browser.page().unwrap();
        page.ignore_certificate_errors(true).unwrap();
        page.goto(&site.url("/")).unwrap();
        let _device = page.virtual_authenticator().unwrap();
        assert!(verified(&page.eval(CREATE).unwrap()));
        assert!(verified(&page.eval(GET).unwrap()));
    })
    .unwrap();
}
