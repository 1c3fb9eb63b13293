package funchost

import (
	"strconv"
	"strings"
)

func itoa(n int64) string { return strconv.FormatInt(n, 10) }

// invocationError is a failed attempt.
type invocationError struct {
	status  int // of the reply; 0 when there was none
	message string
	err     error
}

func (e *invocationError) Error() string { return e.message }
func (e *invocationError) Unwrap() error { return e.err }

// exception writes the .NET exception that the host puts into the retry
// context. Its fields are the host's; the stack trace is not, but it is as
// long, because its length is what a handler may stumble over.
func (e *invocationError) exception(function, invocation string) string {
	inner := object{
		{"HttpRequestError", "0"},
		{"StatusCode", "null"},
		{"Message", quote(e.message)},
		{"Data", "{}"},
		{"InnerException", "null"},
		{"HelpLink", "null"},
		{"Source", `"System.Net.Http"`},
		{"HResult", "-2146233088"},
		{"StackTrace", quote(stackTrace(20))},
	}
	if e.status != 0 {
		inner.set("StatusCode", itoa(int64(e.status)))
	}
	return object{
		{"InstanceId", quote(invocation)},
		{"MethodName", quote("Host.Functions." + function)},
		{"Handled", "false"},
		{"ClassName", `"Microsoft.Azure.WebJobs.Host.FunctionInvocationException"`},
		{"Message", quote("Exception while executing function: Functions." + function)},
		{"Data", "null"},
		{"InnerException", inner.String()},
		{"HelpURL", "null"},
		{"StackTraceString", quote(stackTrace(4))},
		{"RemoteStackTraceString", "null"},
		{"RemoteStackIndex", "0"},
		{"ExceptionMethod", "null"},
		{"HResult", "-2146233088"},
		{"Source", `"System.Private.CoreLib"`},
		{"WatsonBuckets", "null"},
	}.String()
}

func stackTrace(frames int) string {
	const frame = "   at FunctionsHost.StandIn.NoRealStackTrace(Object[] parameters) in internal/funchost/exception.go:line 1"
	return strings.TrimSuffix(strings.Repeat(frame+"\n", frames), "\n")
}
