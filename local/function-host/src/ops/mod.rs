//! The operations, one file each.

use aws_api::operations;

use crate::host::FunctionHost;

operations! {
    FunctionHost;
    "AddPermission" => add_permission at POST "/2015-03-31/functions/{FunctionName}/policy",
    "CreateFunction" => create_function at POST "/2015-03-31/functions",
    "DeleteFunction" => delete_function at DELETE "/2015-03-31/functions/{FunctionName}",
    "DeleteFunctionConcurrency" => delete_function_concurrency at DELETE "/2017-10-31/functions/{FunctionName}/concurrency",
    "DeleteFunctionEventInvokeConfig" => delete_function_event_invoke_config at DELETE "/2019-09-25/functions/{FunctionName}/event-invoke-config",
    "GetAccountSettings" => get_account_settings at GET "/2016-08-19/account-settings",
    "GetFunction" => get_function at GET "/2015-03-31/functions/{FunctionName}",
    "GetFunctionConcurrency" => get_function_concurrency at GET "/2019-09-30/functions/{FunctionName}/concurrency",
    "GetFunctionConfiguration" => get_function_configuration at GET "/2015-03-31/functions/{FunctionName}/configuration",
    "GetFunctionEventInvokeConfig" => get_function_event_invoke_config at GET "/2019-09-25/functions/{FunctionName}/event-invoke-config",
    "GetPolicy" => get_policy at GET "/2015-03-31/functions/{FunctionName}/policy",
    "Invoke" => invoke at POST "/2015-03-31/functions/{FunctionName}/invocations",
    "ListFunctionEventInvokeConfigs" => list_function_event_invoke_configs at GET "/2019-09-25/functions/{FunctionName}/event-invoke-config/list",
    "ListFunctions" => list_functions at GET "/2015-03-31/functions",
    "ListTags" => list_tags at GET "/2017-03-31/tags/{Resource}",
    "PutFunctionConcurrency" => put_function_concurrency at PUT "/2017-10-31/functions/{FunctionName}/concurrency",
    "PutFunctionEventInvokeConfig" => put_function_event_invoke_config at PUT "/2019-09-25/functions/{FunctionName}/event-invoke-config",
    "RemovePermission" => remove_permission at DELETE "/2015-03-31/functions/{FunctionName}/policy/{StatementId}",
    "TagResource" => tag_resource at POST "/2017-03-31/tags/{Resource}",
    "UntagResource" => untag_resource at DELETE "/2017-03-31/tags/{Resource}",
    "UpdateFunctionCode" => update_function_code at PUT "/2015-03-31/functions/{FunctionName}/code",
    "UpdateFunctionConfiguration" => update_function_configuration at PUT "/2015-03-31/functions/{FunctionName}/configuration",
    "UpdateFunctionEventInvokeConfig" => update_function_event_invoke_config at POST "/2019-09-25/functions/{FunctionName}/event-invoke-config",
}
