//! Mail and text messages: SES in; mailbox and SMTP out.
