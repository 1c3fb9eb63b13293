package funchost

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// transcript is a recording of the real host: what it sent and how it took the
// answer.
type transcript struct {
	Case, Title  string
	MeasuredWith string
	HostJSON     json.RawMessage `json:"hostJson"`
	FunctionName string
	FunctionJSON json.RawMessage `json:"functionJson"`
	exchange
	MoreExchanges []exchange
	HostReaction  map[string]json.RawMessage
}

type exchange struct {
	Request *struct {
		Method, Path string
		Headers      [][2]string
		Body         string
		Chunks       int
	}
	Reply *struct {
		Status  int
		Headers [][2]string
		Body    string
		None    string
	}
}

// transcriptDir finds the recordings beside the project; the test is skipped
// where they are absent.
func transcriptDir(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		if dir == filepath.Dir(dir) {
			t.Skip("no go.mod above the package")
		}
		dir = filepath.Dir(dir)
	}
	dir = filepath.Join(dir, "..", "shared", "host-transcripts")
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("the recordings of the real host are not here (%s)", dir)
	}
	return dir
}

func loadTranscript(t *testing.T, dir, name string) *transcript {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	tr := new(transcript)
	if err := json.Unmarshal(data, tr); err != nil {
		t.Fatal(err)
	}
	return tr
}

// bench runs a host with the recorded host.json and function.json, answering as
// the recorded handler answered.
func (tr *transcript) bench(t *testing.T, change func(*benchApp)) *bench {
	t.Helper()
	var replies []wireReply
	for _, e := range append([]exchange{tr.exchange}, tr.MoreExchanges...) {
		if e.Reply == nil {
			continue
		}
		replies = append(replies, wireReply{status: e.Reply.Status, headers: e.Reply.Headers, body: e.Reply.Body, close: e.Reply.None != ""})
	}
	last := replies
	app := benchApp{hostJSON: tr.HostJSON, answer: func(r *wireRequest) wireReply {
		if r.method == "GET" || len(last) == 0 {
			return ok(r)
		}
		return last[len(last)-1]
	}}
	if tr.FunctionName != "" {
		app.functions = map[string]any{tr.FunctionName: tr.FunctionJSON}
	}
	if strings.Contains(tr.MeasuredWith, "Core Tools") {
		app.options.Framing = ContentLength
	}
	if change != nil {
		change(&app)
	}
	return newBench(t, app)
}

var volatile = []struct {
	pattern *regexp.Regexp
	with    string
}{
	{regexp.MustCompile(`"StackTrace(String)?":"([^"\\]|\\.)*"`), `"StackTrace$1":"<stack>"`},
	{regexp.MustCompile(`"PopReceipt":"\\"[^"\\]+\\""`), `"PopReceipt":"\"<receipt>\""`},
	{regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`), `<guid>`},
	// Times keep their form: whole seconds or decimals, Z or offset.
	{regexp.MustCompile(`20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+`), `<time.fraction>`},
	{regexp.MustCompile(`20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d`), `<time>`},
}

func normalise(body string) string {
	for _, v := range volatile {
		body = v.pattern.ReplaceAllString(body, v.with)
	}
	return body
}

var versionNumber = regexp.MustCompile(`4\.\d+\.\d+\.\d+`)

// same compares a request with a recorded one, up to ids, times, ports and
// versions.
func same(t *testing.T, got *wireRequest, want exchange) {
	t.Helper()
	if want.Request == nil {
		t.Fatal("the recording has no request to compare with")
	}
	if got.method != want.Request.Method || got.path != want.Request.Path {
		t.Errorf("request line is %s %s, recorded %s %s", got.method, got.path, want.Request.Method, want.Request.Path)
	}
	headers := func(in [][2]string) (out [][2]string) {
		for _, h := range in {
			switch h[0] {
			case "Host", "X-Azure-Functions-InvocationId", "Content-Length":
				h[1] = "…"
			}
			out = append(out, [2]string{h[0], versionNumber.ReplaceAllString(h[1], "<version>")})
		}
		return out
	}
	if diff := cmp.Diff(headers(want.Request.Headers), headers(got.headers)); diff != "" {
		t.Errorf("headers differ (-recorded +got):\n%s", diff)
	}
	if diff := cmp.Diff(normalise(want.Request.Body), normalise(got.body)); diff != "" {
		t.Errorf("bodies differ (-recorded +got):\n%s", diff)
	}
	if want.Request.Chunks > 0 && want.Request.Chunks < 3 && got.chunks != want.Request.Chunks {
		t.Errorf("%d chunks, recorded %d", got.chunks, want.Request.Chunks)
	}
}

// reaction reads a member of what was recorded of the host's reaction.
func reaction[T any](t *testing.T, tr *transcript, name string) T {
	t.Helper()
	var v T
	if err := json.Unmarshal(tr.HostReaction[name], &v); err != nil {
		t.Fatalf("hostReaction.%s: %v", name, err)
	}
	return v
}

func summary(t *testing.T, tr *transcript) string { return reaction[string](t, tr, "summary") }

func b64(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

// TestTranscripts holds the stand-in against every recording there is. A
// recording that is not held has a row that says why.
func TestTranscripts(t *testing.T) {
	dir := transcriptDir(t)
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil || len(files) == 0 {
		t.Skip("no recordings")
	}
	rows := make(map[string]row)
	for _, table := range []map[string]row{queueRows(), replyRows(), timerRows(), blobRows(), eventGridRows(), otherRows()} {
		for name, r := range table {
			rows[name] = r
		}
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		t.Run(name, func(t *testing.T) {
			r, ok := rows[name]
			switch {
			case !ok:
				t.Fatal("this recording has no row: hold the stand-in against it, or say why not")
			case r.held == nil:
				t.Skip("not held: " + r.not)
			}
			r.held(t, loadTranscript(t, dir, name))
		})
		delete(rows, name)
	}
	for name := range rows {
		t.Errorf("the row %s has no recording", name)
	}
}

// row is how a recording is held, or why it is not.
type row struct {
	held func(*testing.T, *transcript)
	not  string
}

func held(f func(*testing.T, *transcript)) row { return row{held: f} }
func notHeld(why string) row                   { return row{not: why} }

// elsewhere names the test that holds a recording with a real process.
func elsewhere(test string) row {
	return row{held: func(t *testing.T, tr *transcript) {
		t.Logf("held by %s: %s", test, summary(t, tr))
	}}
}

// queueName is the queue of the recorded trigger.
func (tr *transcript) queueName(t *testing.T) string {
	t.Helper()
	f, err := parseFunction("F", bytes.ReplaceAll(tr.FunctionJSON, []byte("%QOUT%"), []byte("qout")), newSettings(nil, nil))
	if err != nil {
		t.Fatal(err)
	}
	return f.trigger.QueueName
}

// succeeded waits for the end of an invocation and wants success.
func (b *bench) succeeded() {
	b.t.Helper()
	if e := b.await(InvocationEnded); e.Outcome != Succeeded {
		b.t.Errorf("the invocation %s: %v", e.Outcome, e.Err)
	}
}

var recordedDay = time.Date(2026, 11, 22, 3, 20, 21, 866552500, time.UTC)
