//! `StopUserImportJob`: what was imported stays.

use aws_api::Call;

use super::create_user_import_job::Response;
pub use super::describe_user_import_job::Request;
use crate::import::{ImportJob, JobStatus};
use crate::{Error, UserPools};

pub async fn run(room: &UserPools, request: Request, _call: &Call) -> Result<Response, Error> {
    let pool = room.pool(&request.user_pool_id)?;
    let (now, id) = (room.world.clock.now(), request.job_id.clone());
    let stop = move |job: &mut ImportJob| {
        if !job.status.is_running() {
            let message = format!("{id} is {:?}; only a job that runs can be stopped", job.status);
            return Err(Error::PreconditionNotMet(message));
        }
        job.status = JobStatus::Stopping;
        Ok(())
    };
    let job = room.store.redeclare(&pool.id, &request.job_id, now, stop).await?;
    Ok(Response::of(room, &pool, job))
}
