//! The oracle answers as the API server would.

use serde_json::{Value, json};
use testkit::Oracle;

#[test]
fn requests_are_understood_as_the_server_does() {
    let mut oracle = Oracle::start().unwrap();
    let answer = oracle
        .ask(json!({"op": "requestinfo", "method": "GET", "url": "/apis/apps/v1/namespaces/shop/deployments/web/scale"}))
        .unwrap();
    assert_eq!(
        answer,
        json!({
            "isResourceRequest": true, "path": "/apis/apps/v1/namespaces/shop/deployments/web/scale", "verb": "get",
            "apiPrefix": "apis", "apiGroup": "apps", "apiVersion": "v1", "namespace": "shop", "resource": "deployments",
            "subresource": "scale", "name": "web", "parts": ["deployments", "web", "scale"],
            "fieldSelector": "", "labelSelector": "",
        })
    );
    let refused = oracle.ask(json!({"op": "requestinfo", "method": "GET", "url": "/api/%zz"})).unwrap();
    assert_eq!(refused, json!({"error": "parse \"/api/%zz\": invalid URL escape \"%zz\""}));
}

#[test]
fn options_are_decoded_as_the_server_does() {
    let mut oracle = Oracle::start().unwrap();
    let mut options =
        |verb: &str, query: &str| oracle.ask(json!({"op": "options", "verb": verb, "query": query})).unwrap();
    assert_eq!(options("list", "watch=x&limit=5"), json!({"watch": true, "limit": 5}));
    assert_eq!(options("delete", "dryRun=All"), json!({"dryRun": ["All"]}));
    assert_eq!(options("log", "tailLines=3&follow=1"), json!({"tailLines": 3, "follow": true}));
    assert_eq!(options("exec", "command=a&command=b&tty=1"), json!({"command": ["a", "b"], "tty": true}));
    assert!(options("list", "limit=many")["error"].is_string());
}

#[test]
fn bodies_are_decoded_as_the_server_does() {
    let mut oracle = Oracle::start().unwrap();
    // {"a":1,"a":2}
    let answer = oracle.ask(json!({"op": "json", "data": "eyJhIjoxLCJhIjoyfQ=="})).unwrap();
    assert_eq!(answer, json!({"value": {"a": 2}, "strict": ["duplicate field \"a\""]}));
    // a: [yes, 0o7]
    let answer = oracle.ask(json!({"op": "yaml", "data": "YTogW3llcywgMG83XQ=="})).unwrap();
    assert_eq!(answer, json!({"value": {"a": [true, 7]}}));
}

#[test]
fn many_questions_are_answered_in_their_order() {
    let long = "n".repeat(2000);
    let questions = (0..5_000).map(|number| {
        json!({"op": "requestinfo", "method": "DELETE", "url": format!("/api/v1/namespaces/{long}/pods/p{number}")})
    });
    let answers = Oracle::start().unwrap().ask_many(questions).unwrap();
    let names: Vec<&Value> = answers.iter().map(|answer| &answer["name"]).collect();
    let expected: Vec<Value> = (0..5_000).map(|number| json!(format!("p{number}"))).collect();
    assert_eq!(names, expected.iter().collect::<Vec<_>>());
}
