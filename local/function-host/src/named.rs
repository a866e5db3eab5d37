//! What a caller named: a function, one of its versions, or an alias; and which version that is.

#[cfg(test)]
mod tests;

use std::ops::Deref;
use std::sync::Arc;

use world::Random;

use crate::alias::Alias;
use crate::error::Error;
use crate::event_invoke::EventInvoke;
use crate::function::Shown;
use crate::host::{Deployment, FunctionHost};
use crate::name::{LATEST, Qualifier, Target};
use crate::policy::Statement;
use crate::pool::Pool;

/// Random numbers below this are as fine as a `f64` can tell apart.
const LOTS: u64 = 1 << 53;

/// A function, one of its versions or an alias. Its qualifier is there: [`FunctionHost::find`] has looked.
#[derive(Clone)]
pub(crate) struct Named {
    pub(crate) deployment: Arc<Deployment>,
    /// As it was asked for.
    pub(crate) qualifier: Option<String>,
}

impl Deref for Named {
    type Target = Deployment;

    fn deref(&self) -> &Deployment {
        &self.deployment
    }
}

impl Named {
    /// With the qualifier, if there is one.
    pub(crate) fn qualified_arn(&self) -> String {
        match &self.qualifier {
            Some(qualifier) => format!("{}:{qualifier}", self.arn),
            None => self.arn.clone(),
        }
    }

    /// With the qualifier, which is `$LATEST` if none was asked for.
    pub(crate) fn versioned_arn(&self) -> String {
        format!("{}:{}", self.arn, self.qualifier.as_deref().unwrap_or(LATEST))
    }

    /// For people: `name`, `name:alias`.
    pub(crate) fn label(&self) -> String {
        match &self.qualifier {
            Some(qualifier) => format!("{}:{qualifier}", self.function.name),
            None => self.function.name.clone(),
        }
    }

    pub(crate) fn alias(&self) -> Option<&Alias> {
        self.function.aliases.get(self.qualifier.as_deref()?)
    }

    /// The version, of an alias the one that it stands for in the first place. None is `$LATEST`.
    pub(crate) fn version(&self) -> Option<u64> {
        match self.qualifier.as_deref().map_or(Qualifier::Latest, Qualifier::of) {
            Qualifier::Version(number) => Some(number),
            _ => self.alias().and_then(|alias| alias.version),
        }
    }

    /// The configuration of that version.
    pub(crate) fn shown(&self) -> Result<Shown<'_>, Error> {
        self.function.shown(self.version()).ok_or_else(|| Error::function_not_found(&self.qualified_arn()))
    }

    /// Where an invocation runs: an alias may have two versions to choose from.
    pub(crate) fn choose(&self, random: &Random) -> Result<Arc<Pool>, Error> {
        let version = match self.alias() {
            #[expect(clippy::cast_precision_loss, reason = "neither is larger than what a f64 holds exactly")]
            Some(alias) if !alias.weights.is_empty() => alias.choose(random.below(LOTS) as f64 / LOTS as f64),
            _ => self.version(),
        };
        match version {
            None => Ok(Arc::clone(&self.pool)),
            Some(number) => {
                let pool = self.versions.get(&number);
                pool.cloned().ok_or_else(|| Error::function_not_found(&format!("{}:{number}", self.arn)))
            }
        }
    }

    pub(crate) fn policy(&self) -> &[Statement] {
        self.function.at(self.qualifier.as_deref()).map_or(&[], |configured| configured.policy.as_slice())
    }

    pub(crate) fn event_invoke(&self) -> Option<&EventInvoke> {
        self.function.at(self.qualifier.as_deref())?.event_invoke.as_ref()
    }
}

impl FunctionHost {
    /// What a caller of `operation` names.
    pub(crate) fn find(&self, operation: &str, reference: &str, qualifier: Option<&str>) -> Result<Named, Error> {
        let place = &self.world().place;
        let target = Target::resolve(place, operation, reference, qualifier)?;
        self.look_up(target).ok_or_else(|| Error::function_not_found(&target.arn(place)))
    }

    /// As [`FunctionHost::find`], for the operations that have another word for an alias that is not there.
    pub(crate) fn find_alias_or_version(
        &self,
        operation: &str,
        reference: &str,
        qualifier: Option<&str>,
    ) -> Result<Named, Error> {
        let place = &self.world().place;
        let target = Target::resolve(place, operation, reference, qualifier)?;
        self.look_up(target).ok_or_else(|| match target.kind() {
            Qualifier::Alias(_) => Error::alias_not_found(&target.arn(place)),
            _ => Error::function_not_found(&target.arn(place)),
        })
    }

    /// The function, for the operations that know neither versions nor aliases.
    pub(crate) fn find_function(&self, operation: &str, reference: &str) -> Result<Named, Error> {
        let target = Target::resolve(&self.world().place, operation, reference, None)?;
        if target.kind() != Qualifier::Latest {
            return Err(Error::InvalidParameterValue(
                "This operation is permitted on Lambda functions only. Aliases and versions do not support this \
                 operation. Please specify either a function name or an unqualified function ARN."
                    .into(),
            ));
        }
        let unqualified = Target { qualifier: None, ..target };
        self.look_up(unqualified).ok_or_else(|| Error::function_not_found(&unqualified.arn(&self.world().place)))
    }

    /// The function with this qualifier, if both are there.
    pub(crate) fn look_up(&self, target: Target<'_>) -> Option<Named> {
        let deployment = self.named(target.name)?;
        let is_there = match target.kind() {
            Qualifier::Latest => true,
            Qualifier::Version(number) => deployment.function.versions.contains_key(&number),
            Qualifier::Alias(name) => deployment.function.aliases.contains_key(name),
            Qualifier::Nothing => false,
        };
        is_there.then(|| Named { deployment, qualifier: target.qualifier.map(str::to_owned) })
    }
}
