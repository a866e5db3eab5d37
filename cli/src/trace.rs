//! `tandem trace USER`: what happened to a user.

use anyhow::bail;
use http::Method;
use serde_json::Value;

use crate::api::{Api, query_value};
use crate::{arguments, story};

/// Asks the running local cloud and prints the story.
pub fn run(arguments: &arguments::Trace) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let path = format!("/_tandem/timeline?user={}", query_value(&arguments.user));
    let timeline = runtime.block_on(async { Api::new(&arguments.endpoint_url)?.inside(Method::GET, &path).await })?;
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&timeline)?);
        return Ok(());
    }
    let lines = story::lines(&timeline);
    if lines.is_empty() && timeline.get("moments").is_some_and(Value::is_array) {
        bail!("nothing is known of {}: the timeline begins when the server starts", arguments.user);
    }
    for line in lines {
        println!("{line}");
    }
    Ok(())
}
