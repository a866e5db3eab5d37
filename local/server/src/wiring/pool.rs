//! What user pools need: functions for their triggers, mail for their messages, the default bus for what CloudTrail tells
//! of their calls, log groups for what becomes of imported rows.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use event_bus::{EventBus, ServiceEvent};
use function_host::{Caller, FunctionHost, Invocation, InvokeError};
use logs::Logs;
use mail::Mail;
use user_pool::{Channel, ImportLog, Message, Messages, Record, Trail, TriggerCall, TriggerFailure, Triggers};
use world::{Timestamp, TriggerFault, World};

/// Cognito as functions see it.
const PRINCIPAL: &str = "cognito-idp.amazonaws.com";
/// Who mails are from: what Cognito's default sender is called.
const SENDER: &str = "no-reply@verificationemail.com";

/// The rooms that a user pool reaches.
pub struct PoolOutside {
    pub world: World,
    pub functions: Arc<FunctionHost>,
    pub mail: Arc<Mail>,
    pub bus: Arc<EventBus>,
    pub logs: Arc<Logs>,
    /// Where this server is reached.
    pub endpoint: String,
}

#[async_trait]
impl Triggers for PoolOutside {
    async fn prepare(&self, function_arn: &str) {
        self.functions.prepare(function_arn).await;
    }

    async fn invoke(&self, call: TriggerCall) -> Result<Bytes, TriggerFailure> {
        let fault = self.world.faults.trigger(call.trigger, &call.trace);
        let invocation = Invocation {
            function: call.function_arn,
            payload: call.event,
            trace: call.trace,
            caller: Caller::Service { principal: PRINCIPAL.into(), source_arn: call.pool_arn },
            client_context: None,
            request_id: None,
        };
        let invoked = self.functions.invoke(invocation).await;
        match fault {
            Some(TriggerFault { time_out: true, .. }) => return Err(TriggerFailure::TimedOut),
            Some(TriggerFault { delay_ms: Some(ms), .. }) => tokio::time::sleep(Duration::from_millis(ms)).await,
            _ => {}
        }
        match invoked {
            Ok(invoked) if invoked.function_error.is_some() => Err(failure_in(&invoked.payload)),
            Ok(invoked) => Ok(invoked.payload),
            Err(error) => Err(TriggerFailure::Refused(exception(&error))),
        }
    }
}

/// A function's own time-out looks to Cognito like any other error of the function.
fn failure_in(payload: &Bytes) -> TriggerFailure {
    let error: serde_json::Value = serde_json::from_slice(payload).unwrap_or_default();
    let message = error.get("errorMessage").and_then(serde_json::Value::as_str).unwrap_or_default();
    TriggerFailure::Function(message.to_owned())
}

/// Lambda's exception, by which Cognito names the failure.
fn exception(error: &InvokeError) -> String {
    let name = match error {
        InvokeError::NotFound(_) => "ResourceNotFoundException",
        InvokeError::AccessDenied(_) => "AccessDeniedException",
        InvokeError::Throttled { .. } => "TooManyRequestsException",
        InvokeError::Invalid(_) => "InvalidParameterValueException",
        InvokeError::Unavailable(_) => "ServiceException",
    };
    name.to_owned()
}

#[async_trait]
impl Messages for PoolOutside {
    async fn send(&self, message: Message) -> Result<(), String> {
        let is_email = message.channel == Channel::Email;
        let message = mail::Message {
            to: vec![message.to],
            from: SENDER.into(),
            channel: if is_email { mail::Channel::Email } else { mail::Channel::Sms },
            subject: message.subject,
            text: Some(message.body.clone()),
            html: is_email.then_some(message.body),
            code: Some(message.code),
            user_pool_id: Some(message.user_pool_id),
            source: format!("cognito {}", message.source),
            trace: Some(message.trace),
            about: message.about,
            ..mail::Message::default()
        };
        self.mail.deliver(message).await.map(drop).map_err(|error| error.to_string())
    }
}

#[async_trait]
impl Trail for PoolOutside {
    async fn is_heard(&self) -> bool {
        self.bus.hears_services().await
    }

    async fn record(&self, record: Record) -> Result<(), String> {
        let event = ServiceEvent {
            source: "aws.cognito-idp",
            detail_type: "AWS API Call via CloudTrail",
            name: record.name,
            detail: record.detail,
            time: record.time,
            trace: record.trace,
            about: record.about,
            is_explained: !record.is_sign_in,
        };
        self.bus.put_service_event(event).await.map_err(|error| error.to_string())
    }
}

#[async_trait]
impl ImportLog for PoolOutside {
    fn endpoint(&self) -> &str {
        &self.endpoint
    }

    async fn write(&self, group: &str, stream: &str, at: Timestamp, lines: Vec<String>) -> Result<(), String> {
        let events = lines.into_iter().map(|line| (at.millis(), line)).collect();
        self.logs.put(group, stream, events).await.map_err(|error| error.to_string())
    }
}
