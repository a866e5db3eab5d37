//! What the timeline is told: which item was written, and whom it is about.

use dynoxide::actions::batch_write_item::BatchWriteItemRequest;
use dynoxide::actions::delete_item::DeleteItemRequest;
use dynoxide::actions::put_item::PutItemRequest;
use dynoxide::actions::transact_write_items::TransactWriteItemsRequest;
use dynoxide::actions::update_item::UpdateItemRequest;
use dynoxide::{AttributeValue, Item};
use serde::Deserialize;
use world::Moment;

use crate::Tables;

/// Items told of one call: a bulk load is no story of anybody.
const ITEMS_TOLD_MAX: usize = 25;
/// What stands before a user's id in a partition key, in any case.
const USER_PREFIXES: [&str; 3] = ["user#", "sub#", "profile#"];

/// The key attributes of a table.
#[derive(Debug, PartialEq, Eq)]
pub struct KeyNames {
    partition: String,
    sort: Option<String>,
}

impl KeyNames {
    /// From the key schema as dynoxide stores it.
    pub fn read(schema: &str) -> Option<Self> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Element {
            attribute_name: String,
            key_type: String,
        }
        let elements: Vec<Element> = serde_json::from_str(schema).ok()?;
        let mut names = Self { partition: String::new(), sort: None };
        for Element { attribute_name, key_type } in elements {
            match key_type.as_str() {
                "HASH" => names.partition = attribute_name,
                _ => names.sort = Some(attribute_name),
            }
        }
        Some(names)
    }
}

/// One item that a call writes.
#[derive(Debug, PartialEq, Eq)]
pub struct Written {
    table: String,
    /// `USER#1, PROFILE`.
    key: String,
    about: Vec<String>,
}

impl Written {
    fn new(tables: &Tables, table: &str, attributes: &Item, email: Option<&AttributeValue>) -> Option<Self> {
        let names = tables.key_names(table)?;
        let partition = attributes.get(&names.partition)?;
        let sort = names.sort.as_ref().and_then(|name| attributes.get(name));
        let mut about = Vec::new();
        if let AttributeValue::S(text) = partition {
            about.extend(whom(text).map(str::to_owned));
        }
        if let Some(AttributeValue::S(email)) = email {
            about.push(email.clone());
        }
        let key = [Some(partition), sort].into_iter().flatten().map(shown).collect::<Vec<_>>().join(", ");
        Some(Self { table: table.to_owned(), key, about })
    }

    /// The moment of this item's writing; `begun` tells when it began and what belongs to the call.
    pub fn moment(self, operation: &str, begun: &Moment) -> Moment {
        let mut moment = begun.clone().about(self.about).id("key", self.key);
        moment.what = format!("{operation} {}", self.table);
        moment
    }
}

fn shown(value: &AttributeValue) -> String {
    match value {
        AttributeValue::S(text) | AttributeValue::N(text) => text.clone(),
        _ => "(binary)".to_owned(),
    }
}

/// The user that a partition key names: what follows a known prefix, or the whole of it if it looks like a
/// sub. Nothing else: a key that several users share would run their stories together.
fn whom(partition: &str) -> Option<&str> {
    for prefix in USER_PREFIXES {
        if let Some((head, tail)) = partition.split_at_checked(prefix.len())
            && head.eq_ignore_ascii_case(prefix)
        {
            return Some(tail);
        }
    }
    is_uuid(partition).then_some(partition)
}

fn is_uuid(text: &str) -> bool {
    let fits = |(at, byte): (usize, u8)| match at {
        8 | 13 | 18 | 23 => byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    };
    text.len() == 36 && text.bytes().enumerate().all(fits)
}

/// What a request writes.
pub trait Writes {
    /// The items, as far as they are told. Reads write none.
    fn items(&self, _tables: &Tables) -> Vec<Written> {
        Vec::new()
    }
}

impl Writes for PutItemRequest {
    fn items(&self, tables: &Tables) -> Vec<Written> {
        Written::new(tables, &self.table_name, &self.item, self.item.get("email")).into_iter().collect()
    }
}

impl Writes for UpdateItemRequest {
    fn items(&self, tables: &Tables) -> Vec<Written> {
        let email = self.expression_attribute_values.as_ref().and_then(|values| values.get(":email"));
        Written::new(tables, &self.table_name, &self.key, email).into_iter().collect()
    }
}

impl Writes for DeleteItemRequest {
    fn items(&self, tables: &Tables) -> Vec<Written> {
        Written::new(tables, &self.table_name, &self.key, None).into_iter().collect()
    }
}

impl Writes for BatchWriteItemRequest {
    fn items(&self, tables: &Tables) -> Vec<Written> {
        let requests = self.request_items.iter().flat_map(|(table, requests)| requests.iter().map(move |r| (table, r)));
        let written = requests.filter_map(|(table, request)| match (&request.put_request, &request.delete_request) {
            (Some(put), _) => Written::new(tables, table, &put.item, put.item.get("email")),
            (None, Some(delete)) => Written::new(tables, table, &delete.key, None),
            (None, None) => None,
        });
        written.take(ITEMS_TOLD_MAX).collect()
    }
}

impl Writes for TransactWriteItemsRequest {
    fn items(&self, tables: &Tables) -> Vec<Written> {
        let written = self.transact_items.iter().filter_map(|action| {
            if let Some(put) = &action.put {
                Written::new(tables, &put.table_name, &put.item, put.item.get("email"))
            } else if let Some(update) = &action.update {
                let email = update.expression_attribute_values.as_ref().and_then(|values| values.get(":email"));
                Written::new(tables, &update.table_name, &update.key, email)
            } else {
                let delete = action.delete.as_ref()?;
                Written::new(tables, &delete.table_name, &delete.key, None)
            }
        });
        written.take(ITEMS_TOLD_MAX).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_a_user_in_a_key() {
        assert_eq!(whom("USER#ann"), Some("ann"));
        assert_eq!(whom("user#ann"), Some("ann"));
        assert_eq!(whom("91192d26-0a0b-4c1d-8e2f-000000000001"), Some("91192d26-0a0b-4c1d-8e2f-000000000001"));
        assert_eq!(whom("TENANT#1"), None);
        assert_eq!(whom("é"), None);
    }

    #[test]
    fn reads_a_key_schema() {
        let schema = r#"[{"AttributeName":"pk","KeyType":"HASH"},{"AttributeName":"sk","KeyType":"RANGE"}]"#;
        assert_eq!(KeyNames::read(schema), Some(KeyNames { partition: "pk".into(), sort: Some("sk".into()) }));
    }
}
