//! `StartUserImportJob`. What it says when there is no file is recorded (aws-amplify/amplify-js#6416); the other
//! refusals are ours.

use aws_api::Call;

use super::create_user_import_job::Response;
pub use super::describe_user_import_job::Request;
use crate::declared::Declared;
use crate::import::{ImportJob, JobStatus};
use crate::{Error, UserPools};

pub async fn run(room: &UserPools, request: Request, _call: &Call) -> Result<Response, Error> {
    let pool = room.pool(&request.user_pool_id)?;
    let now = room.world.clock.now();
    let refused = |message: String| Err(Error::PreconditionNotMet(message));
    let job: Declared<ImportJob> = room.store.declared(&pool.id, &request.job_id).await?.by(now);
    if job.document.status != JobStatus::Created {
        return refused(format!(
            "{} is {:?}; only a job that is Created can be started",
            job.name, job.document.status
        ));
    }
    if !job.document.is_uploaded {
        return refused(format!("No csv file was uploaded for {}", job.name));
    }
    if !room.store.running_imports().await?.iter().all(|(other, _)| *other != pool.id) {
        return refused(format!("An import job is running in user pool {}; one can run at a time", pool.id));
    }
    let begin = move |job: &mut ImportJob| {
        if job.status != JobStatus::Created {
            return Err(Error::PreconditionNotMet("The import job was started by another call".into()));
        }
        job.status = JobStatus::Pending;
        job.started = Some(now.millis());
        Ok(())
    };
    let job = room.store.redeclare(&pool.id, &request.job_id, now, begin).await?;
    room.begin_import(&pool, &request.job_id);
    Ok(Response::of(room, &pool, job))
}
