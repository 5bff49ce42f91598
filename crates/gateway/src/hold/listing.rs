//! What a deletion of a collection covers, looked at so that humans know what they say yes to.

use approval::{Listed, Listing, Target};
use mask::Live;
use policy::{Ask, Member};
use serde_json::Value;

use crate::{
    call::Call,
    look::{Seen, Stop},
    refuse::{Refused, Unseen},
};

/// Most objects that humans are asked about at once.
const MOST: usize = 500;

/// How many are looked at in one call.
const PAGE: u32 = 250;

/// Most calls that are made for one list: a server may put less into a page.
const MOST_PAGES: u32 = 10;

/// Most bytes that what tells the objects apart may take: it stands in one leaf of the ledger.
const MOST_BYTES: usize = 48 << 10;

/// Longest uid or version: a UUID has 36 characters, a version of etcd's at most 20.
const LONGEST: usize = 64;

/// What a deletion of a collection covers.
pub(super) struct Covered {
    pub(super) members: Vec<Member>,
    /// The labels of each, for whoever selects by them.
    pub(super) labels: Vec<Value>,
    /// How they are shown: masked.
    pub(super) listing: Listing,
}

/// One page of a list.
struct Page {
    members: Vec<Member>,
    labels: Vec<Value>,
    /// From where the next one goes on.
    next: Option<String>,
}

impl Call {
    /// What the deletion covers now. All of it, or it cannot be asked about.
    pub(super) async fn list(&self, ask: &Ask) -> Result<Covered, Stop> {
        let refused = |how: &str, next: &str| Stop::asked(ask, ask.ended(how, Some(next), false));
        let resource = ask.request().resource().map(kube_api::Resource::group_resource).unwrap_or_default();
        let listing = Listing { resource, objects: Vec::new() };
        let mut covered = Covered { members: Vec::new(), labels: Vec::new(), listing };
        let mut from = None::<String>;
        for _page in 0..MOST_PAGES {
            let Some(read) = ask.request().as_list(PAGE, from.as_deref()) else {
                let how = "which objects a `limit` or `continue` leaves cannot be told humans beforehand";
                return Err(refused(how, "delete them by a selector, or by their names"));
            };
            from = covered.extend(self.look_by(read).await?)?;
            if covered.is_too_much() {
                break;
            }
            if from.is_none() {
                return Ok(covered);
            }
        }
        let how = format!("it covers more objects than humans are asked about at once: {MOST}");
        Err(refused(&how, "narrow its selector, or delete them by their names"))
    }
}

impl Covered {
    /// Adds a page; the answer is where the next one begins, if there is one.
    fn extend(&mut self, seen: Seen) -> Result<Option<String>, Stop> {
        let unseen = |why| Stop::unseen(Refused::Unseen(why));
        let live = match seen {
            Seen::Object(live) => live,
            Seen::Error(error, _) => return Err(unseen(Unseen::Answered(error.status))),
        };
        let page = live.ask(page).ok_or_else(|| unseen(Unseen::Unreadable))?;
        let names = names(&live);
        if names.len() != page.members.len() {
            return Err(unseen(Unseen::Unreadable));
        }
        self.listing.objects.extend(names);
        self.members.extend(page.members);
        self.labels.extend(page.labels);
        Ok(page.next)
    }

    fn is_too_much(&self) -> bool {
        let bytes: usize = self.members.iter().map(size).sum();
        self.members.len() > MOST || bytes > MOST_BYTES
    }
}

/// What an approval's JSON takes for it.
fn size(member: &Member) -> usize {
    const NAMES: usize = r#"{"resource_version":"","uid":""},"#.len();
    NAMES + member.object.uid.len() + member.object.resource_version.len()
}

/// `None` if it is no list, or of something that cannot be told apart.
fn page(list: &Value) -> Option<Page> {
    let items = items(list)?;
    let members = items.iter().map(member).collect::<Option<_>>()?;
    let labels = |object: &Value| object.pointer("/metadata/labels").cloned().unwrap_or_default();
    let labels = items.iter().map(labels).collect();
    let next = list.get("metadata")?.get("continue").and_then(Value::as_str);
    Some(Page { members, labels, next: next.filter(|next| !next.is_empty()).map(str::to_owned) })
}

/// Of any list. One of names alone that is empty has `null` there, as Go writes a slice that was never made.
pub(super) fn items(list: &Value) -> Option<&[Value]> {
    match list.get("items")? {
        Value::Null => Some(&[]),
        items => items.as_array().map(Vec::as_slice),
    }
}

fn member(object: &Value) -> Option<Member> {
    let metadata = object.get("metadata")?;
    let text = |name: &str| metadata.get(name).and_then(Value::as_str);
    let told = |name: &str| text(name).filter(|text| !text.is_empty() && text.len() <= LONGEST);
    Some(Member {
        namespace: text("namespace").unwrap_or_default().to_owned(),
        name: text("name")?.to_owned(),
        object: Target {
            uid: told("uid")?.to_owned(),
            resource_version: told("resourceVersion")?.to_owned(),
        },
    })
}

fn names(live: &Live) -> Vec<Listed> {
    let items = items(live.shown()).unwrap_or_default();
    let name = |object: &Value| {
        let text = |path: &str| object.pointer(path).and_then(Value::as_str).unwrap_or_default().to_owned();
        Listed { namespace: text("/metadata/namespace"), name: text("/metadata/name") }
    };
    items.iter().map(name).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_cannot_be_told_apart_is_no_list() {
        let item = |metadata: Value| json!({"items": [{"metadata": metadata}], "metadata": {"continue": ""}});
        let good = page(&item(json!({"name": "a", "uid": "u", "resourceVersion": "7"}))).unwrap();
        let object = Target { uid: "u".into(), resource_version: "7".into() };
        assert_eq!(good.members, [Member { namespace: String::new(), name: "a".into(), object }]);
        assert_eq!(good.next, None);
        let long = "u".repeat(LONGEST + 1);
        for odd in [
            json!({"items": []}),
            json!({"items": {}, "metadata": {}}),
            json!({"items": [1], "metadata": {}}),
            item(json!({"name": "a", "uid": "u"})),
            item(json!({"name": "a", "uid": "", "resourceVersion": "7"})),
            item(json!({"uid": "u", "resourceVersion": "7"})),
            item(json!({"name": "a", "uid": long, "resourceVersion": "7"})),
        ] {
            assert!(page(&odd).is_none(), "{odd}");
        }
        assert!(page(&json!({"items": null, "metadata": {}})).unwrap().members.is_empty());
        let more = json!({"items": [], "metadata": {"continue": "there"}});
        assert_eq!(page(&more).unwrap().next.unwrap(), "there");
    }
}
