//! What a template may say in its sections, and what is refused: with line and column, as CloudFormation words it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::{Value, json};
use template::{Inputs, Source, Template, TemplateError, load_template};

fn read_with(text: &str, inputs: Inputs) -> Result<Template, TemplateError> {
    Template::read(load_template(&Source::new("t.yml", text))?, inputs)
}

fn read(text: &str) -> Result<Template, TemplateError> {
    read_with(text, Inputs::default())
}

#[track_caller]
fn check_error(text: &str, expected: &str) {
    assert_eq!(read(text).expect_err(text).to_string(), expected, "{text}");
}

/// Logical ids and properties, as far as they resolve without a stack.
fn resources(template: &Template) -> Value {
    let properties =
        |resource: &template::Resource| template.resolve(&resource.properties, &()).expect("values").to_json();
    template.resources.iter().map(|resource| (resource.logical_id.clone(), properties(resource))).collect()
}

const QUEUE: &str = "Resources: {Q: {Type: AWS::SQS::Queue}}\n";

#[test]
fn what_is_made_and_what_conditions_leave_out() {
    let template = read(
        "AWSTemplateFormatVersion: 2010-09-09\nDescription: a shop\nConditions: {Never: !Equals [a, b]}\nResources:\n  A: {Type: \
         AWS::SQS::Queue, DependsOn: [C, B], DeletionPolicy: Retain, UpdateReplacePolicy: Delete, Metadata: {x: null}}\n  B: {Type: \
         AWS::SQS::Queue, Condition: Never}\n  C: {Type: AWS::SQS::Queue, Properties: {QueueName: c}}\nOutputs:\n  One: {Value: \
         !GetAtt A.Arn, Export: {Name: !Sub '${AWS::StackName}-a'}}\n  Two: {Value: !Ref B, Condition: Never}\n",
    )
    .expect("it is a template");
    assert_eq!(template.description.as_deref(), Some("a shop"));
    assert_eq!(resources(&template), json!({"A": {}, "C": {"QueueName": "c"}}));
    let a = template.resource("A").expect("it is made");
    assert_eq!(a.depends_on, ["C"]);
    assert_eq!((a.deletion_policy.as_deref(), a.update_replace_policy.as_deref()), (Some("Retain"), Some("Delete")));
    assert_eq!(a.metadata.as_ref().map(template::Node::to_json), Some(json!({"x": null})));
    assert_eq!(a.span.to_string(), "t.yml:5:3");
    let [one] = template.outputs.as_slice() else { panic!("one output") };
    assert_eq!(
        template.references(&one.value).first().map(|found| (found.0.as_str(), found.1.as_deref())),
        Some(("A", Some("Arn")))
    );
    let export = one.export.as_ref().map(|node| template.resolve(node, &()).expect("a name").to_json());
    assert_eq!(export, Some(json!("local-a")));
}

#[test]
fn names_that_are_no_sections_or_attributes() {
    check_error(
        &format!("{QUEUE}Resorces: {{}}"),
        "t.yml:2:1: Template format error: Invalid template property or properties [Resorces] (did you mean Resources?)",
    );
    check_error(
        "Resources: {Q: {Type: AWS::SQS::Queue, Propertys: {}}}",
        "t.yml:1:40: Template format error: Invalid template resource property 'Propertys' (did you mean Properties?)",
    );
    check_error(
        "Resources: {Q: {Properties: {}}}",
        "t.yml:1:13: Template format error: [/Resources/Q] Every Resources object must contain a Type member.",
    );
    check_error("Outputs: {}", "t.yml:1:1: Template format error: At least one Resources member must be defined.");
    check_error(
        "Resources: {a-b: {Type: AWS::SQS::Queue}}",
        "t.yml:1:13: Template format error: Resource name a-b is non alphanumeric.",
    );
    check_error(
        &format!("AWSTemplateFormatVersion: 2011-01-01\n{QUEUE}"),
        "t.yml:1:27: Template format error: Unsupported template version. (the only one is 2010-09-09)",
    );
    check_error(
        &format!("{QUEUE}Outputs: {{O: {{Description: x}}}}"),
        "t.yml:2:11: Template format error: [/Outputs/O] Every Outputs member must contain a Value object",
    );
    check_error(
        "Resources: {Q: {Type: AWS::SQS::Queue, Properties: {QueueName: [a, {b: }]}}}",
        "t.yml:1:70: Template format error: [/Resources/Q/Properties/QueueName/1/b] 'null' values are not allowed in \
         templates",
    );
    check_error("- a", "t.yml:1:1: a template must be a map, not a list");
}

#[test]
fn names_that_are_not_there_are_found_in_what_is_left_out_too() {
    let text = "Conditions: {Never: !Equals [a, b]}\nResources:\n  A: {Type: AWS::SQS::Queue, Condition: Never, Properties: \
                {QueueName: !Ref Quue}}\n  Queue: {Type: AWS::SQS::Queue}\n";
    check_error(
        text,
        "t.yml:3:72: Template format error: Unresolved resource dependencies [Quue] in the Resources block of the template \
         (did you mean Queue?)",
    );
    check_error(
        &format!("{QUEUE}Outputs: {{O: {{Value: !GetAtt X.Arn}}}}"),
        "t.yml:2:22: Template format error: Unresolved resource dependencies [X] in the Outputs block of the template",
    );
    check_error(
        "Resources: {Q: {Type: AWS::SQS::Queue, DependsOn: R}}",
        "t.yml:1:51: Template format error: Unresolved resource dependencies [R] in the Resources block of the template",
    );
    check_error(
        "Resources: {Q: {Type: AWS::SQS::Queue, Properties: {A: !FindInMap [M, a, b]}}}",
        "t.yml:1:68: Template error: Mapping named 'M' is not present in the 'Mappings' section of template.",
    );
    check_error(
        "Resources: {Q: {Type: AWS::SQS::Queue, Properties: {A: !Length [a]}}}",
        "t.yml:1:56: Fn::Length needs the transform AWS::LanguageExtensions (add Transform: AWS::LanguageExtensions)",
    );
}

#[test]
fn conditions_need_each_other_in_any_order_but_a_circle() {
    let text = "Conditions: {A: !Not [!Condition B], B: !And [!Condition C, !Condition C], C: !Equals [1, '1']}\nResources: {Q: \
                {Type: AWS::SQS::Queue, Condition: B}, R: {Type: AWS::SQS::Queue, Condition: A}}";
    assert_eq!(resources(&read(text).expect("it is a template")), json!({"Q": {}}));
    check_error(
        &format!(
            "Conditions: {{X: !Not [!Condition A], A: !Not [!Condition B], B: !Or [Condition: A, Condition: A]}}\n{QUEUE}"
        ),
        "t.yml:1:38: Template error: Found circular condition dependency: A -> B -> A",
    );
    check_error(
        &format!("Conditions: {{A: !Equals [!Ref Q, x]}}\n{QUEUE}"),
        "t.yml:1:26: Template format error: Unresolved dependencies [Q]. Cannot reference resources in the Conditions block \
         of the template",
    );
    check_error(
        &format!("Conditions: {{A: !Not [!Condition Bee], Be: !Equals [a, a]}}\n{QUEUE}"),
        "t.yml:1:23: Template format error: Unresolved condition dependency Bee in the Conditions block of the template (did \
         you mean Be?)",
    );
    check_error(
        "Conditions: {No: !Equals [a, b]}\nResources: {Q: {Type: AWS::SQS::Queue, Condition: No}}",
        "t.yml:2:51: Template format error: Unresolved condition dependency false in the Resources block of the template (a \
         plain yes, no, on or off is a truth value: write it in quotes)",
    );
    check_error(
        &format!("Conditions: {{A: maybe}}\n{QUEUE}"),
        "t.yml:1:17: Template error: Every Conditions member must contain a boolean intrinsic function (these are \
         Fn::Equals, Fn::And, Fn::Or, Fn::Not and Condition)",
    );
}

#[track_caller]
fn check_parameter(declared: &str, given: Option<&str>, expected: Result<Value, &str>) {
    let text = format!("Parameters: {{P: {declared}}}\nResources: {{Q: {{Type: T::T::T, Properties: {{V: !Ref P}}}}}}");
    let parameters = given.map(|value| ("P".to_owned(), value.to_owned())).into_iter().collect();
    let template = read_with(&text, Inputs { parameters, ..Inputs::default() });
    let value = template.map(|template| resources(&template)["Q"]["V"].clone()).map_err(|error| error.to_string());
    let value = value.map_err(|error| error.split_once(": ").expect("a place").1.to_owned());
    assert_eq!(value, expected.map_err(str::to_owned), "{declared} {given:?}");
}

#[test]
fn parameters_have_values() {
    check_parameter("{Type: String, Default: 012}", None, Ok(json!("012")));
    check_parameter("{Type: String, Default: 012}", Some(""), Ok(json!("")));
    check_parameter("{Type: Number, Default: 1}", Some("2.5"), Ok(json!(2.5)));
    check_parameter("{Type: CommaDelimitedList}", Some("a, b"), Ok(json!(["a", "b"])));
    check_parameter("{Type: 'List<AWS::EC2::Subnet::Id>'}", Some("s-1,s-2"), Ok(json!(["s-1", "s-2"])));
    check_parameter(
        "{Type: String}",
        None,
        Err("Parameters: [P] must have values (give it one with --parameter P=VALUE, or a Default)"),
    );
    check_parameter(
        "{Type: Strin}",
        Some("x"),
        Err("Template format error: Unrecognized parameter type: Strin (did you mean String?)"),
    );
    check_parameter(
        "{Type: String, Defalt: x}",
        None,
        Err("Template format error: Invalid template parameter property 'Defalt' (did you mean Default?)"),
    );
    check_parameter(
        "{Default: x}",
        None,
        Err("Template format error: Every Parameters object must contain a Type member."),
    );
}

#[test]
fn parameters_have_constraints() {
    check_parameter("{Type: Number}", Some("x"), Err("Parameter 'P' must be a number"));
    check_parameter("{Type: 'List<Number>'}", Some("1,x"), Err("Parameter 'P' must be a list of numbers"));
    check_parameter("{Type: String, AllowedValues: [dev, prod]}", Some("dev"), Ok(json!("dev")));
    check_parameter(
        "{Type: String, AllowedValues: [dev, prod]}",
        Some("test"),
        Err("Parameter 'P' must be one of AllowedValues (dev, prod)"),
    );
    check_parameter("{Type: CommaDelimitedList, AllowedValues: [a, b]}", Some("b,a"), Ok(json!(["b", "a"])));
    check_parameter("{Type: String, AllowedPattern: '[a-z]+'}", Some("abc"), Ok(json!("abc")));
    check_parameter(
        "{Type: String, AllowedPattern: '[a-z]+'}",
        Some("abc1"),
        Err("Parameter 'P' must match pattern [a-z]+"),
    );
    check_parameter(
        "{Type: String, AllowedPattern: '[a-z]+', ConstraintDescription: only letters}",
        Some("1"),
        Err("Parameter 'P' failed to satisfy constraint: only letters"),
    );
    check_parameter(
        "{Type: String, MinLength: 3}",
        Some("ab"),
        Err("Parameter 'P' must contain at least 3 characters"),
    );
    check_parameter(
        "{Type: String, MaxLength: '1'}",
        Some("ab"),
        Err("Parameter 'P' must contain at most 1 characters"),
    );
    check_parameter("{Type: Number, MinValue: 3}", Some("2"), Err("Parameter 'P' must be a number not less than 3"));
    check_parameter("{Type: Number, MaxValue: 3}", Some("4"), Err("Parameter 'P' must be a number not greater than 3"));
}

#[test]
fn a_parameter_that_is_not_declared_is_refused() {
    let parameters = BTreeMap::from([("Stag".to_owned(), "x".to_owned())]);
    let text = format!("Parameters: {{Stage: {{Type: String, Default: a}}}}\n{QUEUE}");
    let error = read_with(&text, Inputs { parameters, ..Inputs::default() }).expect_err("there is none").to_string();
    assert_eq!(error, "t.yml:1:13: Parameters: [Stag] do not exist in the template (did you mean Stage?)");
}

#[test]
fn loops_are_unrolled() {
    let template = read(
        "Transform: AWS::LanguageExtensions\nParameters: {Names: {Type: CommaDelimitedList, Default: 'a,b'}}\nConditions:\n  \
         Fn::ForEach::C:\n  - X\n  - [One, Two]\n  - Is${X}: !Equals ['${X}', One]\nResources:\n  Fn::ForEach::Q:\n  - Name\n  - !Ref \
         Names\n  - Fn::ForEach::R:\n    - Ip\n    - ['1.0', '2.0']\n    - Q${Name}&{Ip}:\n        Type: AWS::SQS::Queue\n        \
         Properties:\n          QueueName: !Sub '${Name}-${Ip}-${AWS::Region}'\n          Name: !Ref Name\n          \
         Fn::ForEach::P: [K, [x, y], {'Key${K}': '${K}'}]\n  Other: {Type: AWS::SQS::Queue, Condition: IsTwo}\nOutputs:\n  \
         Fn::ForEach::O: [N, [a], {'Out${N}': {Value: !Ref 'Q${N}10'}}]\n",
    )
    .expect("it is a template");
    let of = |name: &str, ip: &str| json!({"QueueName": format!("{name}-{ip}-us-east-1"), "Name": name, "Keyx": "x", "Keyy": "y"});
    assert_eq!(
        resources(&template),
        json!({"Qa10": of("a", "1.0"), "Qa20": of("a", "2.0"), "Qb10": of("b", "1.0"), "Qb20": of("b", "2.0")})
    );
    assert_eq!(template.outputs.iter().map(|output| output.name.as_str()).collect::<Vec<_>>(), ["Outa"]);
}

#[test]
fn loops_that_cannot_be() {
    let with = |body: &str| format!("Transform: AWS::LanguageExtensions\nResources:\n  Fn::ForEach::L: {body}\n");
    check_error(
        &with("[X, [a, b], {Same: {Type: AWS::SQS::Queue}}]"),
        "t.yml:3:32: Same is made a second time (its key must have ${X} in it, and no item may come twice)",
    );
    check_error(
        &with("[X, {a: b}, {'Q${X}': {Type: AWS::SQS::Queue}}]"),
        "t.yml:3:23: the collection of Fn::ForEach must be a list, not a map",
    );
    check_error(
        &with("[X, [a]]"),
        "t.yml:3:19: Fn::ForEach must be a list of an identifier, a collection and a map, not a list",
    );
    check_error(
        "Resources:\n  Fn::ForEach::L: [X, [a], {'Q${X}': {Type: AWS::SQS::Queue}}]\n",
        "t.yml:2:3: Fn::ForEach needs the transform AWS::LanguageExtensions (add Transform: AWS::LanguageExtensions)",
    );
    let items = (0..40).map(|item| item.to_string()).collect::<Vec<_>>().join(", ");
    let mut body = "{a: b}".to_owned();
    for level in 0..5 {
        body = format!("{{'Fn::ForEach::L{level}': [X{level}, [{items}], {{'K${{X{level}}}': {body}}}]}}");
    }
    let error =
        read(&format!("Transform: AWS::LanguageExtensions\nResources: {body}")).expect_err("too many").to_string();
    assert!(error.ends_with("loops make more than 200000 values"), "{error}");
}

#[test]
fn policies_may_be_functions() {
    let template = read(
        "Transform: AWS::LanguageExtensions\nParameters: {Stage: {Type: String, Default: prod}}\nConditions: {IsProd: !Equals \
         [!Ref Stage, prod]}\nResources: {Q: {Type: AWS::SQS::Queue, DeletionPolicy: !If [IsProd, Retain, Delete]}}",
    )
    .expect("it is a template");
    assert_eq!(template.resources[0].deletion_policy.as_deref(), Some("Retain"));
}

fn with_files(text: &str) -> Result<Template, TemplateError> {
    let part = "QueueName: yes\nTags: [{Key: a, Value: !Ref AWS::Region}]".to_owned();
    let files = BTreeMap::from([(PathBuf::from("infra/part.yml"), part)]);
    let document = load_template(&Source::new("infra/t.yml", text))?;
    Template::read(document, Inputs { files: Arc::new(files), ..Inputs::default() })
}

#[test]
fn files_are_included() {
    let template = with_files(
        "Resources: {Q: {Type: AWS::SQS::Queue, Properties: {FifoQueue: true, Fn::Transform: {Name: AWS::Include, Parameters: \
         {Location: part.yml}}}}}",
    )
    .expect("it is a template");
    let tags = json!([{"Key": "a", "Value": "us-east-1"}]);
    assert_eq!(resources(&template), json!({"Q": {"FifoQueue": true, "QueueName": true, "Tags": tags}}));
    let refused = |transform: &str| {
        let text = format!("Resources: {{Q: {{Type: AWS::SQS::Queue, Properties: {{Fn::Transform: {transform}}}}}}}");
        with_files(&text).expect_err(transform).to_string()
    };
    assert_eq!(
        refused("{Name: Mine}"),
        "infra/t.yml:1:75: No transform named Mine found. (only AWS::Include is run here)"
    );
    assert_eq!(
        refused("{Name: AWS::Include, Parameters: {Location: 's3://b/x'}}"),
        "infra/t.yml:1:112: AWS::Include of s3://b/x is not read here (give the path of a file beside the template)"
    );
    assert!(refused("{Name: AWS::Include, Parameters: {Location: x.yml}}").contains("infra/x.yml cannot be read: "));
}

#[test]
fn transforms_that_are_not_run() {
    check_error(
        &format!("Transform: [Mine]\n{QUEUE}"),
        "t.yml:1:13: No transform named Mine found. (macros of an account's own are not run here; those that are: \
         AWS::LanguageExtensions, AWS::Serverless-2016-10-31, AWS::Include)",
    );
    let template = read(&format!("Transform: AWS::CodeDeployBlueGreen\nRules: {{R: {{Assertions: []}}}}\n{QUEUE}"));
    let warnings: Vec<String> = template
        .expect("it is a template")
        .warnings
        .iter()
        .map(|warning| format!("{} {}", warning.span, warning.message))
        .collect();
    assert_eq!(
        warnings,
        [
            "t.yml:1:12 the transform AWS::CodeDeployBlueGreen is not run here: what it would make is missing",
            "t.yml:2:1 the section Rules is read, and not asserted here"
        ]
    );
}
