//! `AWS::Serverless::SimpleTable` and `AWS::Serverless::LayerVersion`.

use super::function::{layer_hash, object};
use super::{Expansion, Serverless, tags};
use crate::code;
use crate::error::TemplateError;
use crate::make::pick;

impl Expansion<'_> {
    /// A table with one key.
    pub(super) fn simple_table(&mut self, table: &Serverless<'_>) -> Result<(), TemplateError> {
        table.known(&[
            "PointInTimeRecoverySpecification",
            "PrimaryKey",
            "ProvisionedThroughput",
            "SSESpecification",
            "TableName",
            "Tags",
        ])?;
        let (properties, make) = (&table.properties, table.make());
        let key = self.given(properties, "PrimaryKey")?;
        let (name, kind) = match &key {
            Some(key) => {
                let map = key.expect_map(&format!("PrimaryKey of {}", table.id))?;
                let (name, kind) = (map.get("Name"), self.given_text(map, "Type")?);
                let (Some(name), Some(kind)) = (name, kind) else {
                    return Err(table.invalid(&key.span, "'PrimaryKey' requires Name and Type."));
                };
                (name.clone(), kind)
            }
            None => (make.text("id"), "String".to_owned()),
        };
        let short = match kind.as_str() {
            "String" => "S",
            "Number" => "N",
            "Binary" => "B",
            other => {
                let words = format!("Invalid 'Type' \"{other}\".");
                return Err(table.invalid(table.span, &words).hint("the types are String, Number, Binary"));
            }
        };
        let throughput = properties.get("ProvisionedThroughput").filter(|node| !node.is_null()).cloned();
        let billing = throughput.is_none().then(|| make.text("PAY_PER_REQUEST"));
        let attribute = make.map([("AttributeName", name.clone()), ("AttributeType", make.text(short))]);
        let mut node = vec![
            ("AttributeDefinitions", Some(make.list([attribute]))),
            ("KeySchema", Some(make.list([make.map([("AttributeName", name), ("KeyType", make.text("HASH"))])]))),
            ("ProvisionedThroughput", throughput),
            ("BillingMode", billing),
            ("Tags", tags(make, properties.get("Tags"), false)),
        ];
        node.extend(pick(properties, &["TableName", "SSESpecification", "PointInTimeRecoverySpecification"]));
        let own = table.attributes.get("DependsOn").map(|node| ("DependsOn", node.clone()));
        self.add_with(table, table.id, "AWS::DynamoDB::Table", make.some(node), own)
    }

    /// A layer: each content has a logical id of its own, so that older versions stay.
    pub(super) fn layer(&mut self, layer: &Serverless<'_>) -> Result<(), TemplateError> {
        layer.known(&[
            "CompatibleArchitectures",
            "CompatibleRuntimes",
            "ContentUri",
            "Description",
            "LayerName",
            "LicenseInfo",
            "PublishLambdaVersion",
            "RetentionPolicy",
        ])?;
        let (properties, make) = (&layer.properties, layer.make());
        let content = match self.given(properties, "ContentUri")? {
            Some(node) => match (node.as_str(), node.as_map()) {
                (Some(uri), _) => code::of_uri(&node, uri),
                (None, Some(map)) if map.get("Bucket").is_some() => object(map, make),
                _ => return Err(layer.invalid(&node.span, "'ContentUri' requires Bucket and Key properties.")),
            },
            None => return Err(layer.invalid(layer.span, "Missing required property 'ContentUri'.")),
        };
        let policy = match self.given_text(properties, "RetentionPolicy")?.as_deref().map(str::to_lowercase).as_deref()
        {
            Some("delete") => make.text("Delete"),
            Some("retain") => make.text("Retain"),
            None => layer.attributes.get("DeletionPolicy").cloned().unwrap_or_else(|| make.text("Retain")),
            Some(_) => {
                let words = "'RetentionPolicy' must be one of the following options: ['Retain', 'Delete'].";
                return Err(layer.invalid(layer.span, words));
            }
        };
        let name = properties.get("LayerName").filter(|node| !node.is_null()).cloned();
        let mut node =
            vec![("Content", Some(content)), ("LayerName", Some(name.unwrap_or_else(|| make.text(layer.id))))];
        node.extend(pick(properties, &["CompatibleArchitectures", "CompatibleRuntimes", "Description", "LicenseInfo"]));
        let id = format!("{}{}", layer.id, layer_hash(self, layer.id, properties));
        let metadata = layer.attributes.get("Metadata").map(|node| ("Metadata", node.clone()));
        let own = [("DeletionPolicy", policy)].into_iter().chain(metadata);
        self.add_with(layer, &id, "AWS::Lambda::LayerVersion", make.some(node), own)?;
        self.made.renamed.insert(layer.id.to_owned(), id);
        Ok(())
    }
}
