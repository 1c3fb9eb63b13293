package funchost

import (
	"strings"
	"time"
)

// envelope is the body of an invocation, ready but for what is new in each
// attempt: the sys object and the retry context.
type envelope struct {
	binding string // name of the trigger binding
	data    string // JSON under Data.<binding>
	head    object // metadata before sys
	merged  object // properties of the message, laid over everything
}

// body writes the request body of one attempt: Data, then Metadata. Metadata
// keys that end in "trigger" are dropped, as the host drops them.
func (e *envelope) body(function, randGuid string, now time.Time, retry *retryContext) []byte {
	metadata := append(object(nil), e.head...)
	metadata = append(metadata, member{"sys", object{
		{"MethodName", quote(function)},
		{"UtcNow", utcTime(now)},
		{"RandGuid", quote(randGuid)},
	}.String()})
	for _, m := range e.merged {
		metadata.set(m.key, m.value)
	}
	if retry != nil {
		metadata.set("RetryContext", retry.String())
	}
	kept := metadata[:0]
	for _, m := range metadata {
		if !strings.HasSuffix(strings.ToLower(m.key), "trigger") {
			kept = append(kept, m)
		}
	}
	return []byte(object{
		{"Data", object{{e.binding, e.data}}.String()},
		{"Metadata", kept.String()},
	}.String())
}

// retryContext is what a function with a retry policy is told.
type retryContext struct {
	count, max int
	function   string
	invocation string
	failure    *invocationError // of the attempt before; nil on the first
}

func (r *retryContext) String() string {
	exception := "null"
	if r.failure != nil {
		exception = r.failure.exception(r.function, r.invocation)
	}
	return object{
		{"RetryCount", itoa(int64(r.count))},
		{"MaxRetryCount", itoa(int64(r.max))},
		{"Exception", exception},
		{"Instance", "null"},
		{"State", "{}"},
	}.String()
}
