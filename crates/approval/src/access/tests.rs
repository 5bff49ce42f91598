use super::*;

fn usage(verb: &str, resource: &str, namespace: Option<&str>, name: Option<&str>) -> Usage {
    let owned = |text: &str| text.to_owned();
    Usage {
        verb: verb.into(),
        resource: resource.into(),
        namespace: namespace.map(owned),
        name: name.map(owned),
    }
}

#[test]
fn a_scope_covers_what_it_says_and_nothing_else() {
    let scope: Scope =
        "patch,delete deployments.apps,deployments.apps/scale named web in shop".parse().unwrap();
    let shop = Some("shop");
    assert!(scope.covers(&usage("patch", "deployments.apps", shop, Some("web"))));
    assert!(scope.covers(&usage("delete", "deployments.apps/scale", shop, Some("web"))));
    for other in [
        usage("update", "deployments.apps", shop, Some("web")),
        usage("patch", "deployments", shop, Some("web")),
        usage("patch", "deployments.apps/status", shop, Some("web")),
        usage("patch", "deployments.apps", Some("shop2"), Some("web")),
        usage("patch", "deployments.apps", None, Some("web")),
        usage("patch", "deployments.apps", shop, Some("web2")),
        usage("patch", "deployments.apps", shop, None),
    ] {
        assert!(!scope.covers(&other), "{other:?}");
    }
    let cluster: Scope = "delete namespaces".parse().unwrap();
    assert!(cluster.covers(&usage("delete", "namespaces", None, Some("old"))));
    assert!(!cluster.covers(&usage("delete", "namespaces", shop, Some("old"))));
    // Without a namespace a list is of all of them.
    let (one, all): (Scope, Scope) =
        ("get,list pods".parse().unwrap(), "list,watch pods in *".parse().unwrap());
    assert!(
        !one.covers(&usage("list", "pods", None, None)) && all.covers(&usage("list", "pods", None, None))
    );
    assert!(!all.covers(&usage("list", "pods", shop, None)), "that is another list");
}

#[test]
fn a_scope_reads_as_it_is_written() {
    for (text, told) in [
        ("delete  nodes", "delete nodes"),
        ("patch,delete,patch deployments.apps in shop,blog", "delete,patch deployments.apps in blog,shop"),
        ("watch,list pods in *", "list,watch pods in *"),
        ("create configmaps named a.b-c,d in shop", "create configmaps named a.b-c,d in shop"),
        (
            "get clusterroles.rbac.authorization.k8s.io named system:Node",
            "get clusterroles.rbac.authorization.k8s.io named system:Node",
        ),
    ] {
        let scope: Scope = text.parse().unwrap();
        assert_eq!(scope.to_string(), told);
        assert_eq!(told.parse(), Ok(scope));
    }
}

#[test]
fn what_is_no_scope_is_refused_in_words() {
    let many = (0..17).map(|at| format!("n{at}")).collect::<Vec<_>>().join(",");
    let texts = [
        "",
        "delete",
        "* pods in shop",
        "delete *",
        "delete Deployments",
        "delete pods/",
        "delete pods/exec/more",
        "create pods/exec in shop",
        "create pods,pods/attach named web in shop",
        "create pods/portforward in shop",
        "delete pods in",
        "delete pods in *",
        "list pods in shop,*",
        "list pods named web in *",
        "deletecollection pods in shop",
        "delete pods in shop in blog",
        "delete pods in shop named web",
        "delete pods shop",
        "delete pods named a\u{202e}b",
        "delete pods named a,,b",
        &format!("delete pods named {many}"),
    ];
    let told: Vec<String> = texts
        .iter()
        .map(|text| text.parse::<Scope>().unwrap_err().to_string().escape_debug().to_string())
        .collect();
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn what_a_yes_permits_is_told_in_words() {
    let scopes = [
        "patch,delete deployments.apps named web in shop",
        "delete namespaces",
        "list nodes in *",
        "create jobs.batch in shop,blog",
    ];
    let access = |seconds, break_glass| Access {
        break_glass,
        reason: "roll back".into(),
        scopes: scopes.iter().map(|scope| scope.parse().unwrap()).collect(),
        seconds,
    };
    let glass = BreakGlass { incident: "INC-7".into(), reviewers: vec!["leads".into()] };
    let told = [access(1_800, None), access(90, Some(glass))].map(|access| access.effects().join("\n"));
    insta::assert_snapshot!(told.join("\n\n"));
}
