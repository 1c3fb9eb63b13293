package bulkdata

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

var now = time.Date(2026, 11, 22, 1, 0, 0, 0, time.UTC)

// serve starts a server and a client of it.
func serve(t *testing.T, handler http.HandlerFunc, change func(*Config)) (*Client, *httptest.Server) {
	t.Helper()
	s := httptest.NewServer(handler)
	t.Cleanup(s.Close)
	c := Config{BaseURL: s.URL + "/fhir", Profile: Standard, Now: func() time.Time { return now }}
	if change != nil {
		change(&c)
	}
	client, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return client, s
}

func wantKind(t *testing.T, err error, kind Kind) *Error {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) || e.Kind != kind {
		t.Fatalf("got %v, want an error of kind %d", err, kind)
	}
	if strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "Jane") {
		t.Errorf("the error tells too much: %v", err)
	}
	return e
}

func TestKickOffRequest(t *testing.T) {
	full := Request{
		Level: LevelGroup, GroupID: "g.1", Types: []string{"Patient", "Observation"}, TypeFilters: []string{"Observation?code=a", "Patient?active=true"},
		Since: now.Add(-time.Hour), Until: now, OutputFormat: "application/fhir+ndjson",
	}
	azure := full
	azure.Container, azure.AnonymizationConfig, azure.AnonymizationConfigETag = "exports", "rules.json", `"0x1"`
	for name, c := range map[string]struct {
		profile Profile
		r       Request
		path    string
		query   url.Values
		fault   string
	}{
		"system":  {Standard, Request{Level: LevelSystem}, "/fhir/$export", url.Values{}, ""},
		"patient": {Azure, Request{Level: LevelPatient}, "/fhir/Patient/$export", url.Values{}, ""},
		"all of standard": {Standard, full, "/fhir/Group/g.1/$export", url.Values{
			"_type": {"Patient,Observation"}, "_typeFilter": {"Observation?code=a", "Patient?active=true"}, "_outputFormat": {"application/fhir+ndjson"},
			"_since": {"2026-11-22T00:00:00.000Z"}, "_until": {"2026-11-22T01:00:00.000Z"}}, ""},
		"all of azure": {Azure, azure, "/fhir/Group/g.1/$export", url.Values{
			"_type": {"Patient,Observation"}, "_typeFilter": {"Observation?code=a,Patient?active=true"}, "_outputFormat": {"application/fhir+ndjson"},
			"_since": {"2026-11-22T00:00:00.000Z"}, "_till": {"2026-11-22T01:00:00.000Z"},
			"_container": {"exports"}, "_anonymizationConfig": {"rules.json"}, "_anonymizationConfigEtag": {`"0x1"`}}, ""},
		"azure's on another":   {Standard, azure, "", nil, "azure profile"},
		"a group without id":   {Standard, Request{Level: LevelGroup}, "", nil, "id of the group"},
		"an id that is a path": {Standard, Request{Level: LevelGroup, GroupID: "../Patient"}, "", nil, "id of the group"},
		"a filter without":     {Standard, Request{Level: LevelSystem, TypeFilters: []string{"status=final"}}, "", nil, "Type?search"},
		"a config without":     {Azure, Request{Level: LevelSystem, AnonymizationConfig: "x"}, "", nil, "container"},
		"no such level":        {Azure, Request{Level: "ward"}, "", nil, "system, patient or group"},
	} {
		t.Run(name, func(t *testing.T) {
			var got *http.Request
			client, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
				got = r
				w.Header().Set("Content-Location", "/fhir/status/1?job=1")
				w.WriteHeader(http.StatusAccepted)
			}, func(conf *Config) { conf.Profile = c.profile })
			a, err := client.KickOff(t.Context(), c.r)
			if c.fault != "" {
				if e := wantKind(t, err, Invalid); !strings.Contains(e.Error(), c.fault) || got != nil {
					t.Errorf("got %v and a request %v, want %q and none", err, got != nil, c.fault)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got.Method != http.MethodGet || got.Header.Get("Accept") != "application/fhir+json" || got.Header.Get("Prefer") != "respond-async" {
				t.Errorf("the request is %s with %v", got.Method, got.Header)
			}
			if got.URL.Path != c.path || got.URL.Query().Encode() != c.query.Encode() {
				t.Errorf("asked for %s?%s, want %s?%s", got.URL.Path, got.URL.Query().Encode(), c.path, c.query.Encode())
			}
			if !strings.HasSuffix(a.StatusURL, "/fhir/status/1?job=1") || !strings.HasPrefix(a.StatusURL, "http://") {
				t.Errorf("the status URL is %s", a.StatusURL)
			}
		})
	}
}

func TestContentLocationElsewhere(t *testing.T) {
	client, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Location", "https://elsewhere.example.org/status?token=secret")
		w.WriteHeader(http.StatusAccepted)
	}, nil)
	_, err := client.KickOff(t.Context(), Request{Level: LevelSystem})
	wantKind(t, err, Invalid)
}

func TestRetryAfter(t *testing.T) {
	for value, want := range map[string]time.Duration{
		"":                              0,
		"12":                            12 * time.Second,
		"0":                             time.Second, // the floor
		"999999999999":                  time.Hour,   // the ceiling
		"-5":                            0,
		"soon":                          0,
		"Sun, 22 Nov 2026 01:02:00 GMT": 90 * time.Second, // by the server's clock, half a minute ahead of ours
		"Sun, 22 Nov 2026 00:00:00 GMT": time.Second,
	} {
		client, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Date", "Sun, 22 Nov 2026 01:00:30 GMT")
			if value != "" {
				w.Header().Set("Retry-After", value)
			}
			w.Header().Set("X-Progress", "half\tway"+strings.Repeat("x", 200))
			w.WriteHeader(http.StatusAccepted)
		}, nil)
		s, err := client.Status(t.Context(), client.base.String()+"/status/1")
		if err != nil || s.Done || s.RetryAfter != want {
			t.Errorf("Retry-After %q gives %s, %v; want %s", value, s.RetryAfter, err, want)
		}
		if len(s.Progress) != 100 || strings.Contains(s.Progress, "\t") {
			t.Errorf("the progress is %q", s.Progress)
		}
	}
}

func TestErrorKinds(t *testing.T) {
	outcome := func(codes ...string) string {
		var issues []string
		for _, c := range codes {
			issues = append(issues, fmt.Sprintf(`{"severity":"error","code":%q,"diagnostics":"Jane Doe"}`, c))
		}
		return `{"resourceType":"OperationOutcome","issue":[` + strings.Join(issues, ",") + `]}`
	}
	for name, c := range map[string]struct {
		status int
		body   string
		kind   Kind
		says   string
	}{
		"401":                         {401, "", Denied, "FHIR_AUTH"},
		"403":                         {403, outcome("forbidden"), Denied, "system/*.rs"},
		"404":                         {404, "", Gone, ""},
		"429":                         {429, "", Transient, ""},
		"500 with nothing":            {500, "", Transient, ""},
		"500 with a page":             {500, "<html>Jane</html>", Transient, ""},
		"500 transient":               {500, outcome("transient", "lock-error"), Transient, "transient"},
		"500 transient and for good":  {500, outcome("transient", "processing"), Invalid, "processing"},
		"500 with a made-up code":     {500, outcome("Jane Doe"), Invalid, "other"},
		"400":                         {400, outcome("invalid"), Invalid, "invalid"},
		"400 that may pass":           {400, outcome("throttled"), Transient, ""},
		"a page instead of manifest":  {200, "<html>", Invalid, "not JSON"},
		"half a manifest":             {200, `{"transactionTime":"2026-11-22T00:00:00Z","output":[`, Transient, ""},
		"a manifest without its time": {200, `{"requiresAccessToken":true,"output":[]}`, Invalid, "transactionTime"},
	} {
		t.Run(name, func(t *testing.T) {
			client, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
				w.WriteHeader(c.status)
				_, _ = io.WriteString(w, c.body)
			}, nil)
			_, err := client.Status(t.Context(), client.base.String()+"/status/1?key=secret")
			if e := wantKind(t, err, c.kind); !strings.Contains(e.Error(), c.says) {
				t.Errorf("it says %v, not %q", e, c.says)
			}
		})
	}
	t.Run("nobody there", func(t *testing.T) {
		client, s := serve(t, nil, nil)
		s.Close()
		_, err := client.KickOff(t.Context(), Request{Level: LevelSystem})
		wantKind(t, err, Transient)
	})
}

func TestAzureNamesItsRole(t *testing.T) {
	client, _ := serve(t, func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusForbidden) }, func(c *Config) { c.Profile = Azure })
	_, err := client.KickOff(t.Context(), Request{Level: LevelSystem})
	if e := wantKind(t, err, Denied); !strings.Contains(e.Error(), "FHIR Data Exporter") {
		t.Error(e)
	}
}

func TestManifest(t *testing.T) {
	at, _ := url.Parse("https://fhir.example.org/status/1")
	m, err := readManifest(strings.NewReader(`{"extension":{"a":[1,{}]},"transactionTime":"2026-11-22T00:00:00.5Z","request":"x","requiresAccessToken":true,
		"output":[{"type":"Patient","url":"../file/1?s=1","count":3},{"type":"Patient","url":"https://a.example/2"}],
		"deleted":[{"type":"Bundle","url":"/d"}],"error":[{"url":"/e"}],"issues":[]}`), at)
	if err != nil {
		t.Fatal(err)
	}
	if len(m.Output) != 2 || m.Output[0].URL != "https://fhir.example.org/file/1?s=1" || *m.Output[0].Count != 3 || m.Output[1].Count != nil ||
		len(m.Deleted) != 1 || len(m.Error) != 1 || m.Error[0].Type != "OperationOutcome" || !m.RequiresAccessToken {
		t.Errorf("the manifest is %+v", m)
	}
	var long bytes.Buffer
	long.WriteString(`{"transactionTime":"2026-11-22T00:00:00Z","requiresAccessToken":false,"output":[`)
	for i := range 100_000 {
		if i > 0 {
			long.WriteByte(',')
		}
		fmt.Fprintf(&long, `{"type":"Observation","url":"https://fhir.example.org/file/%d","count":1000}`, i)
	}
	long.WriteString(`]}`)
	if m, err := readManifest(&long, at); err != nil || len(m.Output) != 100_000 {
		t.Errorf("a long manifest: %v", err)
	}
}

func FuzzManifest(f *testing.F) {
	f.Add(`{"transactionTime":"2026-11-22T00:00:00Z","requiresAccessToken":false,"output":[{"type":"Patient","url":"x","count":1}],"link":[{"relation":"next","url":"y"}]}`)
	f.Add(`{"output":null,"error":{}}`)
	at, _ := url.Parse("https://fhir.example.org/")
	f.Fuzz(func(t *testing.T, text string) {
		m, err := readManifest(strings.NewReader(text), at)
		if err != nil {
			return
		}
		for _, o := range append(append(m.Output, m.Error...), m.Deleted...) {
			if o.URL == "" || o.Count != nil && *o.Count < 0 {
				t.Errorf("an entry without a URL, or less than nothing: %+v", o)
			}
		}
	})
}

func FuzzOutcome(f *testing.F) {
	f.Add([]byte(`{"resourceType":"OperationOutcome","issue":[{"code":"transient"}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, c := range IssueCodes(body) {
			if len(c) > 20 {
				t.Errorf("a code of %d bytes is repeated", len(c))
			}
		}
	})
}

// counting gives tokens t1, t2 … and counts.
type counting struct{ n atomic.Int64 }

func (c *counting) source(life time.Duration) source {
	return func(context.Context) (accessToken, error) {
		return accessToken{fmt.Sprintf("t%d", c.n.Add(1)), now.Add(life)}, nil
	}
}

func TestTokensAreRenewed(t *testing.T) {
	clock := now
	var c counting
	auth := newCached(func() time.Time { return clock }, c.source(10*time.Minute))
	for _, step := range []struct {
		wait  time.Duration
		fresh bool
		want  string
	}{{0, false, "Bearer t1"}, {5 * time.Minute, false, "Bearer t1"}, {4 * time.Minute, false, "Bearer t2"}, {0, true, "Bearer t3"}} {
		clock = clock.Add(step.wait)
		got, err := auth.Authorization(t.Context(), step.fresh)
		if err != nil || got != step.want {
			t.Errorf("after %s: %s %v, want %s", step.wait, got, err, step.want)
		}
	}
}

func TestRefusedTokenIsRenewedOnce(t *testing.T) {
	var c counting
	client, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer t2" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		w.WriteHeader(http.StatusAccepted)
	}, func(conf *Config) { conf.Auth = newCached(func() time.Time { return now }, c.source(time.Hour)) })
	if _, err := client.Status(t.Context(), client.base.String()+"/status/1"); err != nil || c.n.Load() != 2 {
		t.Errorf("%v after %d tokens", err, c.n.Load())
	}
	client.auth = Bearer("of nobody")
	_, err := client.Status(t.Context(), client.base.String()+"/status/1")
	if e := wantKind(t, err, Denied); !strings.Contains(e.Error(), "client id") {
		t.Errorf("a token that is not taken: %v", e)
	}
}

func TestTokensGoOnlyWhereTheyBelong(t *testing.T) {
	var elsewhere atomic.Int64
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		elsewhere.Add(1)
		fmt.Fprintf(w, "auth=%s", r.Header.Get("Authorization"))
	}))
	defer other.Close()
	handler := func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/fhir/away" {
			http.Redirect(w, r, other.URL+"/x", http.StatusFound)
			return
		}
		fmt.Fprintf(w, "auth=%s", r.Header.Get("Authorization"))
	}
	with := func(c *Config) { c.Auth = Bearer("fhir-token") }
	read := func(t *testing.T, client *Client, url string, token bool) (string, error) {
		body, err := client.Open(t.Context(), File{URL: url, RequiresAccessToken: token})
		if err != nil {
			return "", err
		}
		defer body.Close()
		data, err := io.ReadAll(body)
		return string(data), err
	}
	t.Run("obeyed both ways", func(t *testing.T) {
		client, s := serve(t, handler, with)
		for token, want := range map[bool]string{true: "auth=Bearer fhir-token", false: "auth="} {
			if got, err := read(t, client, s.URL+"/fhir/file", token); err != nil || got != want {
				t.Errorf("asked %v: %q, %v", token, got, err)
			}
		}
	})
	t.Run("not to another place", func(t *testing.T) {
		client, _ := serve(t, handler, with)
		_, err := read(t, client, other.URL+"/file?sig=secret", true)
		wantKind(t, err, Refused)
	})
	t.Run("not after a redirect", func(t *testing.T) {
		client, s := serve(t, handler, with)
		_, err := read(t, client, s.URL+"/fhir/away", true)
		wantKind(t, err, Refused)
	})
	if elsewhere.Load() != 0 {
		t.Error("a request went to another place")
	}
	t.Run("to a configured place", func(t *testing.T) {
		client, _ := serve(t, handler, func(c *Config) { with(c); c.FileOrigins = []string{other.URL} })
		if got, err := read(t, client, other.URL+"/file", true); err != nil || got != "auth=Bearer fhir-token" {
			t.Errorf("%q, %v", got, err)
		}
	})
	for _, bad := range []Config{
		{BaseURL: "http://fhir.example.org", Profile: Standard}, {BaseURL: "ftp://127.0.0.1", Profile: Standard}, {BaseURL: "nothing", Profile: Standard},
		{BaseURL: "https://fhir.example.org", Profile: "hapi"}, {BaseURL: "https://fhir.example.org", Profile: Azure, FileOrigins: []string{"http://files.example.org"}},
	} {
		if _, err := New(bad); err == nil {
			t.Errorf("%+v was taken", bad)
		}
	}
}

// broken serves a file that breaks off in the middle.
func broken(content []byte, version func(n int64) string, requests *atomic.Int64) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		n := requests.Add(1)
		w.Header().Set("ETag", version(n))
		if r.Header.Get("Range") == "" {
			w.Header().Set("Content-Length", fmt.Sprint(len(content)))
			_, _ = w.Write(content[:len(content)/2])
			panic(http.ErrAbortHandler)
		}
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
	}
}

func TestDownloads(t *testing.T) {
	content := bytes.Repeat([]byte("0123456789abcdef"), 1<<14)
	read := func(t *testing.T, handler http.HandlerFunc) ([]byte, error) {
		client, s := serve(t, handler, nil)
		body, err := client.Open(t.Context(), File{URL: s.URL + "/file?sig=secret"})
		if err != nil {
			return nil, err
		}
		defer body.Close()
		return io.ReadAll(body)
	}
	var n atomic.Int64
	t.Run("goes on where it broke off", func(t *testing.T) {
		got, err := read(t, broken(content, func(int64) string { return `"v1"` }, &n))
		if err != nil || !bytes.Equal(got, content) {
			t.Errorf("%d bytes, %v", len(got), err)
		}
	})
	t.Run("goes on where it stood still", func(t *testing.T) {
		client, s := serve(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("ETag", `"v1"`)
			if r.Header.Get("Range") != "" {
				http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
				return
			}
			w.Header().Set("Content-Length", fmt.Sprint(len(content)))
			_, _ = w.Write(content[:len(content)/2])
			w.(http.Flusher).Flush()
			<-r.Context().Done() // the client has hung up
		}, func(c *Config) { c.Stall = 50 * time.Millisecond })
		body, err := client.Open(t.Context(), File{URL: s.URL + "/file"})
		if err != nil {
			t.Fatal(err)
		}
		defer body.Close()
		if got, err := io.ReadAll(body); err != nil || !bytes.Equal(got, content) {
			t.Errorf("%d bytes, %v", len(got), err)
		}
	})
	t.Run("not in another file", func(t *testing.T) {
		_, err := read(t, broken(content, func(n int64) string { return fmt.Sprintf(`"v%d"`, n) }, &n))
		wantKind(t, err, Transient)
		if !errors.Is(err, ErrChanged) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("not without a validator", func(t *testing.T) {
		_, err := read(t, broken(content, func(int64) string { return "" }, &n))
		if !errors.Is(err, ErrChanged) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("gzip", func(t *testing.T) {
		got, err := read(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			_, _ = z.Write(content)
			_ = z.Close()
		})
		if err != nil || !bytes.Equal(got, content) {
			t.Errorf("%d bytes, %v", len(got), err)
		}
	})
	t.Run("gzip that breaks off", func(t *testing.T) {
		_, err := read(t, func(w http.ResponseWriter, r *http.Request) {
			var b bytes.Buffer
			z := gzip.NewWriter(&b)
			_, _ = z.Write(content)
			_ = z.Close()
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(b.Bytes()[:b.Len()/2])
		})
		wantKind(t, err, Transient)
	})
	t.Run("an expired link", func(t *testing.T) {
		for _, status := range []int{401, 403, 404, 410} {
			_, err := read(t, func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(status) })
			wantKind(t, err, Gone)
		}
	})
	t.Run("an odd encoding", func(t *testing.T) {
		_, err := read(t, func(w http.ResponseWriter, r *http.Request) { w.Header().Set("Content-Encoding", "br") })
		wantKind(t, err, Invalid)
	})
}

func TestCancel(t *testing.T) {
	for status, ok := range map[int]bool{200: true, 202: true, 204: true, 404: true, 403: false, 500: false} {
		client, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
			if r.Method != http.MethodDelete {
				t.Errorf("cancelled by %s", r.Method)
			}
			w.WriteHeader(status)
		}, nil)
		if err := client.Cancel(t.Context(), client.base.String()+"/status/1"); (err == nil) != ok {
			t.Errorf("%d gives %v", status, err)
		}
	}
}

func TestGroupSize(t *testing.T) {
	for body, want := range map[string]GroupSize{
		`{"resourceType":"Group","quantity":5}`:       {true, 5},
		`{"resourceType":"Group","member":[{},{}]}`:   {true, 2},
		`{"resourceType":"Group"}`:                    {true, 0},
		`{"resourceType":"Group","member":"too long"`: {},
	} {
		client, _ := serve(t, func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, body) }, nil)
		if got, err := client.GroupSize(t.Context(), "g1"); err != nil || got != want {
			t.Errorf("%s gives %+v, %v", body, got, err)
		}
	}
}

func TestKeys(t *testing.T) {
	for _, bad := range []string{"", "not a key", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", `{"kty":"oct","k":"c2VjcmV0"}`} {
		if _, err := NewSigner([]byte(bad), "k"); err == nil || strings.Contains(err.Error(), "AAAA") {
			t.Errorf("a key that is none gives %v", err)
		}
	}
}
