//! Whatever happens to users, in whatever order and however often events come, with any of them missing: after one
//! reconciliation the table says what the pool says, and no attribute of the application's was touched.
//!
//! Random histories are driven through the APIs of a server under chaos (lost, doubled and late deliveries, functions
//! that die, APIs that refuse), so that the pool is left in a state that nobody has planned. Then the faults end,
//! `tandem reconcile --repair` runs once, and both sides are read by nothing of ours and held against each other.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_cognitoidentityprovider::Client as Pools;
use aws_sdk_cognitoidentityprovider::types::{AttributeType, MessageActionType};
use aws_sdk_dynamodb::Client as Tables;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::AttributeValue;
use e2e::{PASSWORD, Server, binary};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::Value;
use tokio::process::Command;

/// Each history has a server of its own and takes some seconds.
const HISTORIES: u32 = 4;
const STEPS: std::ops::Range<usize> = 25..45;
const PEOPLE: usize = 5;
const GROUPS: [&str; 2] = ["staff", "beta"];

/// A thousand times faster: a minute between two attempts is too long for a test.
const TIME_SCALE: &str = "1000";

/// What may happen to one of the people.
#[derive(Clone, Copy, Debug)]
enum Step {
    SignUp {
        confirm: bool,
    },
    CreateByAdministrator,
    SignIn,
    Rename(u8),
    ChangeAddress {
        to: u8,
        verified: bool,
    },
    Disable,
    Enable,
    Join(usize),
    Leave(usize),
    SetPassword,
    Delete,
    /// The application writes an attribute of its own.
    Theme(u8),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => any::<bool>().prop_map(|often| Step::SignUp { confirm: often }),
        2 => Just(Step::SignUp { confirm: true }),
        2 => Just(Step::CreateByAdministrator),
        3 => Just(Step::SignIn),
        3 => any::<u8>().prop_map(Step::Rename),
        2 => (any::<u8>(), any::<bool>()).prop_map(|(to, verified)| Step::ChangeAddress { to, verified }),
        1 => Just(Step::Disable),
        1 => Just(Step::Enable),
        2 => (0..GROUPS.len()).prop_map(Step::Join),
        1 => (0..GROUPS.len()).prop_map(Step::Leave),
        1 => Just(Step::SetPassword),
        2 => Just(Step::Delete),
        4 => any::<u8>().prop_map(Step::Theme),
    ]
}

/// What the world knows of the people: the newest account of each, and what the application wrote to it.
struct World<'a> {
    server: &'a Server,
    pools: Pools,
    tables: Tables,
    accounts: BTreeMap<usize, String>,
    /// By account: what was written last, and was said to be written.
    themes: BTreeMap<String, String>,
}

impl World<'_> {
    /// One step. What chaos refuses did not happen, or did and was not told: the pool will say.
    async fn take(&mut self, who: usize, step: Step) {
        let pool = self.server.of_stack("userPoolId");
        let client = self.server.of_stack("userPoolClientId");
        let pools = self.pools.clone();
        let address = format!("person{who}@example.com");
        let attribute = |name: &str, value: &str| {
            AttributeType::builder().name(name).value(value).build().expect("an attribute has a name")
        };
        match step {
            Step::SignUp { confirm } => {
                let Ok(made) = pools.sign_up().client_id(client).username(&address).password(PASSWORD).send().await
                else {
                    return;
                };
                self.accounts.insert(who, made.user_sub.clone());
                if confirm {
                    let _ = pools.admin_confirm_sign_up().user_pool_id(pool).username(made.user_sub).send().await;
                }
            }
            Step::CreateByAdministrator => {
                let create = pools.admin_create_user().user_pool_id(pool).username(&address);
                let create = create.user_attributes(attribute("email", &address));
                let create = create.message_action(MessageActionType::Suppress).temporary_password(PASSWORD);
                let made = create.send().await.ok().and_then(|made| made.user?.username);
                self.accounts.extend(made.map(|username| (who, username)));
            }
            _ => {
                let Some(account) = self.accounts.get(&who).cloned() else { return };
                self.change(&account, step, attribute).await;
            }
        }
    }

    async fn change(&mut self, account: &str, step: Step, attribute: impl Fn(&str, &str) -> AttributeType) {
        let pool = self.server.of_stack("userPoolId");
        let pools = &self.pools;
        match step {
            Step::SignIn => self.sign_in(account).await,
            Step::Rename(to) => {
                let update = pools.admin_update_user_attributes().user_pool_id(pool).username(account);
                let _ = update.user_attributes(attribute("name", &format!("Name {to}"))).send().await;
            }
            Step::ChangeAddress { to, verified } => {
                let update = pools.admin_update_user_attributes().user_pool_id(pool).username(account);
                let update = update.user_attributes(attribute("email", &format!("moved{to}@example.com")));
                let _ = update.user_attributes(attribute("email_verified", &verified.to_string())).send().await;
            }
            Step::Disable => drop(pools.admin_disable_user().user_pool_id(pool).username(account).send().await),
            Step::Enable => drop(pools.admin_enable_user().user_pool_id(pool).username(account).send().await),
            Step::Join(group) => {
                let join = pools.admin_add_user_to_group().user_pool_id(pool).username(account);
                let _ = join.group_name(GROUPS[group]).send().await;
            }
            Step::Leave(group) => {
                let leave = pools.admin_remove_user_from_group().user_pool_id(pool).username(account);
                let _ = leave.group_name(GROUPS[group]).send().await;
            }
            Step::SetPassword => {
                let set = pools.admin_set_user_password().user_pool_id(pool).username(account);
                let _ = set.password(PASSWORD).permanent(true).send().await;
            }
            Step::Delete => drop(pools.admin_delete_user().user_pool_id(pool).username(account).send().await),
            Step::Theme(theme) => self.write_theme(account, theme).await,
            Step::SignUp { .. } | Step::CreateByAdministrator => unreachable!("those make accounts"),
        }
    }

    async fn sign_in(&self, account: &str) {
        let client = self.server.of_stack("userPoolClientId");
        let sign_in = self.pools.initiate_auth().client_id(client).auth_flow("USER_PASSWORD_AUTH".into());
        let sign_in = sign_in.auth_parameters("USERNAME", account).auth_parameters("PASSWORD", PASSWORD);
        let Ok(answer) = sign_in.send().await else { return };
        if let (Some(challenge), Some(session)) = (answer.challenge_name, answer.session) {
            let respond = self.pools.respond_to_auth_challenge().client_id(client).challenge_name(challenge);
            let respond = respond.session(session).challenge_responses("USERNAME", account);
            let _ = respond.challenge_responses("NEW_PASSWORD", PASSWORD).send().await;
        }
    }

    async fn write_theme(&mut self, account: &str, theme: u8) {
        let update = self.tables.update_item().table_name(self.server.of_stack("tableName"));
        let update = update.key("pk", text(&format!("USER#{account}"))).key("sk", text("PROFILE"));
        let update = update
            .update_expression("SET theme = :theme")
            .expression_attribute_values(":theme", text(&theme.to_string()));
        let is_profile = "attribute_exists(identityAsOf) AND attribute_not_exists(deletedAt)";
        match update.condition_expression(is_profile).send().await {
            Ok(_) => drop(self.themes.insert(account.to_owned(), theme.to_string())),
            Err(error)
                if error.as_service_error().is_some_and(UpdateItemError::is_conditional_check_failed_exception) => {}
            // Perhaps it was written, perhaps not.
            Err(_) => drop(self.themes.remove(account)),
        }
    }
}

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

/// What a profile is to say: name, address, verified, enabled, groups.
type Person = (Option<String>, Option<String>, bool, bool, BTreeSet<String>);

async fn people_in_pool(server: &Server, pools: &Pools) -> BTreeMap<String, Person> {
    let pool = server.of_stack("userPoolId");
    let users = pools.list_users().user_pool_id(pool).send().await.expect("ListUsers").users.unwrap_or_default();
    let mut people = BTreeMap::new();
    for user in users {
        if user.user_status.as_ref().is_some_and(|status| status.as_str() == "UNCONFIRMED") {
            continue;
        }
        let attribute = |name: &str| {
            user.attributes().iter().find(|attribute| attribute.name() == name).and_then(|it| it.value.clone())
        };
        let groups = pools.admin_list_groups_for_user().user_pool_id(pool).username(user.username().expect("a name"));
        let groups = groups.send().await.expect("AdminListGroupsForUser").groups.unwrap_or_default();
        let person = (
            attribute("name"),
            attribute("email"),
            attribute("email_verified").as_deref() == Some("true"),
            user.enabled,
            groups.into_iter().filter_map(|group| group.group_name).collect(),
        );
        people.insert(attribute("sub").expect("a sub"), person);
    }
    people
}

/// Profiles that are no tombstones, and the themes in them.
async fn people_in_table(server: &Server, tables: &Tables) -> (BTreeMap<String, Person>, BTreeMap<String, String>) {
    let scan = tables.scan().table_name(server.of_stack("tableName")).send().await.expect("Scan");
    let (mut people, mut themes) = (BTreeMap::new(), BTreeMap::new());
    for item in scan.items.unwrap_or_default() {
        let value = |name: &str| item.get(name).and_then(|value| value.as_s().ok()).cloned();
        if value("sk").as_deref() != Some("PROFILE") || item.contains_key("deletedAt") {
            continue;
        }
        let id = value("userId").expect("a user");
        let groups = item.get("identityGroups").and_then(|groups| groups.as_ss().ok()).cloned().unwrap_or_default();
        let person = (
            value("name"),
            value("email"),
            item.get("emailVerified") == Some(&AttributeValue::Bool(true)),
            value("identityStatus").as_deref() != Some("DISABLED"),
            groups.into_iter().collect(),
        );
        themes.extend(value("theme").map(|theme| (id.clone(), theme)));
        people.insert(id, person);
    }
    (people, themes)
}

async fn reconcile(server: &Server, arguments: &[&str]) -> (i32, Value) {
    let mut command = Command::new(binary());
    command.args(["reconcile", "--min-age", "0s", "--json", "--quiet", "--endpoint-url", &server.endpoint]);
    let state = tempfile::tempdir().expect("a directory");
    let output = command.args(arguments).arg("--state").arg(state.path()).output().await.expect("it runs");
    let said = serde_json::from_slice(&output.stdout);
    let said = said.unwrap_or_else(|_| panic!("no JSON: {}", String::from_utf8_lossy(&output.stderr)));
    (output.status.code().expect("it ends by itself"), said)
}

async fn live_through(seed: u32, history: &[(usize, Step)]) -> Result<(), TestCaseError> {
    let state = tempfile::tempdir().expect("a directory");
    let arguments = ["--chaos", &seed.to_string(), "--time-scale", TIME_SCALE];
    let server = Server::chaotic(state.path(), &arguments).await;
    let (pools, tables) = (Pools::new(&server.config()), Tables::new(&server.config()));
    for group in GROUPS {
        // Chaos may refuse it: nobody joins then.
        let _ = pools.create_group().user_pool_id(server.of_stack("userPoolId")).group_name(group).send().await;
    }
    let (accounts, themes) = <_>::default();
    let mut world = World { server: &server, pools: pools.clone(), tables: tables.clone(), accounts, themes };
    for (who, step) in history {
        world.take(*who, *step).await;
    }
    assert_eq!(server.inside("DELETE", "/_tandem/faults", "").await.0, 200);
    server.settle().await;

    let (code, said) = reconcile(&server, &["--repair"]).await;
    prop_assert!(code == 0, "everything is repaired: {said}");
    server.settle().await;
    let (in_table, themes) = people_in_table(&server, &tables).await;
    prop_assert_eq!(&in_table, &people_in_pool(&server, &pools).await);
    for (account, theme) in &world.themes {
        if in_table.contains_key(account) {
            prop_assert_eq!(themes.get(account), Some(theme), "an attribute of the application's");
        }
    }
    let (code, said) = reconcile(&server, &[]).await;
    prop_assert!(code == 0, "there is nothing left to find: {said}");
    Ok(())
}

#[test]
fn the_table_says_what_the_pool_says_after_one_reconciliation() {
    let history = prop::collection::vec((0..PEOPLE, step()), STEPS);
    let config = Config { failure_persistence: None, max_shrink_iters: 12, ..Config::with_cases(HISTORIES) };
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    let outcome = TestRunner::new(config)
        .run(&(any::<u32>(), history), |(seed, history)| runtime.block_on(live_through(seed, &history)));
    outcome.unwrap_or_else(|error| panic!("{error}"));
}
