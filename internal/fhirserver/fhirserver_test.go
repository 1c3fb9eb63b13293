package fhirserver

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"fhirdeid/internal/bulkdata"
	"fhirdeid/internal/synth"
)

func start(t *testing.T, o Options, config func(*bulkdata.Config)) (*Server, *bulkdata.Client) {
	t.Helper()
	if o.Source == nil {
		o.Source = Generated{synth.New(synth.Config{Seed: 1, Patients: 9})}
	}
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	base, err := s.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	c := bulkdata.Config{BaseURL: base, Profile: bulkdata.Standard}
	if o.Profile == "azure" {
		c.Profile = bulkdata.Azure
	}
	if config != nil {
		config(&c)
	}
	client, err := bulkdata.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return s, client
}

// export polls until the manifest is there.
func export(t *testing.T, c *bulkdata.Client, r bulkdata.Request) (*bulkdata.Manifest, error) {
	t.Helper()
	if r.Level == "" {
		r.Level = bulkdata.LevelSystem
	}
	a, err := c.KickOff(t.Context(), r)
	if err != nil {
		return nil, err
	}
	for t.Context().Err() == nil {
		s, err := c.Status(t.Context(), a.StatusURL)
		if err != nil {
			return nil, err
		}
		if s.Done {
			return s.Manifest, nil
		}
	}
	return nil, t.Context().Err()
}

func read(t *testing.T, c *bulkdata.Client, m *bulkdata.Manifest, i int) ([]byte, error) {
	t.Helper()
	body, err := c.Open(t.Context(), bulkdata.File{URL: m.Output[i].URL, RequiresAccessToken: m.RequiresAccessToken})
	if err != nil {
		return nil, err
	}
	defer body.Close()
	return io.ReadAll(body)
}

// wantAll reads every output and compares counts.
func wantAll(t *testing.T, c *bulkdata.Client, m *bulkdata.Manifest) (total int) {
	t.Helper()
	for i, o := range m.Output {
		data, err := read(t, c, m, i)
		if err != nil {
			t.Fatal(err)
		}
		n := bytes.Count(data, []byte{'\n'})
		if int64(n) != *o.Count {
			t.Errorf("output %d has %d lines, the manifest says %d", i, n, *o.Count)
		}
		total += n
	}
	return total
}

func kindOf(err error) (bulkdata.Kind, bool) {
	var e *bulkdata.Error
	ok := errors.As(err, &e)
	if !ok {
		return 0, false
	}
	return e.Kind, true
}

func TestExports(t *testing.T) {
	for name, c := range map[string]struct {
		profile string
		r       bulkdata.Request
		types   int
	}{
		"system":         {"standard", bulkdata.Request{}, 19},
		"azure":          {"azure", bulkdata.Request{Container: "exports", Types: []string{"Patient", "Observation"}, TypeFilters: []string{"Observation?status=final"}}, 2},
		"patient":        {"standard", bulkdata.Request{Level: bulkdata.LevelPatient}, 15},
		"group":          {"azure", bulkdata.Request{Level: bulkdata.LevelGroup, GroupID: synth.GroupID, Types: []string{"Patient"}}, 1},
		"since for all":  {"standard", bulkdata.Request{Types: []string{"Patient"}, Since: time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)}, 1},
		"since for none": {"standard", bulkdata.Request{Types: []string{"Patient"}, Since: time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			_, client := start(t, Options{Profile: c.profile, Polls: 2, PerFile: 20, Faults: NoFaults()}, nil)
			m, err := export(t, client, c.r)
			if err != nil {
				t.Fatal(err)
			}
			types := make(map[string]bool)
			for _, o := range m.Output {
				types[o.Type] = true
			}
			if len(types) != c.types {
				t.Errorf("%d types, want %d", len(types), c.types)
			}
			wantAll(t, client, m)
		})
	}
}

func TestAuth(t *testing.T) {
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	ecKey, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	pemOf := func(key any) []byte {
		der, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			t.Fatal(err)
		}
		return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	}
	oauth := func(o bulkdata.OAuth, key []byte) func(*bulkdata.Config) {
		return func(c *bulkdata.Config) {
			o.BaseURL = c.BaseURL
			if key != nil {
				var err error
				if o.Assert, err = bulkdata.NewSigner(key, "k1"); err != nil {
					t.Fatal(err)
				}
			}
			var err error
			if c.Auth, err = o.Authorizer(); err != nil {
				t.Fatal(err)
			}
		}
	}
	for name, c := range map[string]struct {
		auth   Auth
		config func(*bulkdata.Config)
		denied bool
	}{
		"RS384":         {Auth{ClientID: "app", PublicKey: rsaKey.Public()}, oauth(bulkdata.OAuth{ClientID: "app"}, pemOf(rsaKey)), false},
		"ES384":         {Auth{ClientID: "app", PublicKey: ecKey.Public()}, oauth(bulkdata.OAuth{ClientID: "app"}, pemOf(ecKey)), false},
		"another's key": {Auth{ClientID: "app", PublicKey: rsaKey.Public()}, oauth(bulkdata.OAuth{ClientID: "app"}, pemOf(ecKey)), true},
		"secret":        {Auth{ClientID: "app", Secret: "s3cret"}, oauth(bulkdata.OAuth{ClientID: "app", Secret: "s3cret"}, nil), false},
		"wrong secret":  {Auth{ClientID: "app", Secret: "s3cret"}, oauth(bulkdata.OAuth{ClientID: "app", Secret: "guess"}, nil), true},
		"bearer":        {Auth{Bearer: "t"}, func(c *bulkdata.Config) { c.Auth = bulkdata.Bearer("t") }, false},
		"none":          {Auth{Bearer: "t"}, nil, true},
		"short tokens":  {Auth{ClientID: "app", Secret: "s3cret", TokenLife: time.Nanosecond}, oauth(bulkdata.OAuth{ClientID: "app", Secret: "s3cret"}, nil), true},
	} {
		t.Run(name, func(t *testing.T) {
			_, client := start(t, Options{Auth: c.auth, Faults: NoFaults()}, c.config)
			m, err := export(t, client, bulkdata.Request{Types: []string{"Patient"}})
			if kind, _ := kindOf(err); c.denied != (err != nil) || err != nil && kind != bulkdata.Denied {
				t.Fatalf("got %v, want denied: %v", err, c.denied)
			}
			if err != nil {
				if !strings.Contains(err.Error(), "scope") && !strings.Contains(err.Error(), "token") {
					t.Errorf("the error does not say what to do: %v", err)
				}
				return
			}
			if !m.RequiresAccessToken {
				t.Error("the manifest does not ask for the token")
			}
			wantAll(t, client, m)
		})
	}
}

func TestFaults(t *testing.T) {
	with := func(change func(*Faults)) Faults {
		f := NoFaults()
		change(&f)
		return f
	}
	for name, c := range map[string]struct {
		faults Faults
		kind   bulkdata.Kind
		wait   time.Duration
	}{
		"429 with seconds":    {with(func(f *Faults) { f.KickOff, f.RetryAfter = []int{429}, "7" }), bulkdata.Transient, 7 * time.Second},
		"503 without FHIR":    {with(func(f *Faults) { f.KickOff = []int{503} }), bulkdata.Transient, 0},
		"500 transient":       {with(func(f *Faults) { f.Poll, f.Outcome = []int{500}, "timeout" }), bulkdata.Transient, 0},
		"500 for good":        {with(func(f *Faults) { f.Poll, f.Outcome = []int{500}, "processing" }), bulkdata.Invalid, 0},
		"a job that fails":    {with(func(f *Faults) { f.Fatal = true }), bulkdata.Invalid, 0},
		"403":                 {with(func(f *Faults) { f.KickOff = []int{403} }), bulkdata.Denied, 0},
		"a job that is gone":  {with(func(f *Faults) { f.Poll = []int{404} }), bulkdata.Gone, 0},
		"a kick-off to a 404": {with(func(f *Faults) { f.KickOff = []int{404} }), bulkdata.Invalid, 0},
	} {
		t.Run(name, func(t *testing.T) {
			_, client := start(t, Options{Faults: c.faults}, nil)
			_, err := export(t, client, bulkdata.Request{Types: []string{"Patient"}})
			var e *bulkdata.Error
			if !errors.As(err, &e) || e.Kind != c.kind || e.RetryAfter != c.wait {
				t.Fatalf("got %v, want kind %d and to wait %s", err, c.kind, c.wait)
			}
			if strings.Contains(err.Error(), "Jane") || strings.Contains(err.Error(), "html") {
				t.Errorf("the error repeats what the server says: %v", err)
			}
		})
	}
}

func TestFileFaults(t *testing.T) {
	patients := bulkdata.Request{Types: []string{"Patient"}}
	run := func(change func(*Faults)) (*bulkdata.Client, *bulkdata.Manifest) {
		f := NoFaults()
		change(&f)
		_, client := start(t, Options{Faults: f, Polls: 1}, nil)
		m, err := export(t, client, patients)
		if err != nil {
			t.Fatal(err)
		}
		return client, m
	}
	t.Run("a transfer that breaks off goes on", func(t *testing.T) {
		client, m := run(func(f *Faults) { f.CutFile = 0 })
		wantAll(t, client, m)
	})
	t.Run("a file that is another does not", func(t *testing.T) {
		client, m := run(func(f *Faults) { f.CutFile, f.ChangedFile = 0, true })
		if _, err := read(t, client, m, 0); !errors.Is(err, bulkdata.ErrChanged) {
			t.Errorf("got %v, want ErrChanged", err)
		}
	})
	t.Run("wrong count", func(t *testing.T) {
		client, m := run(func(f *Faults) { f.WrongCount = 0 })
		data, err := read(t, client, m, 0)
		if n := bytes.Count(data, []byte{'\n'}); err != nil || int64(n) == *m.Output[0].Count {
			t.Errorf("%d lines, %v", n, err)
		}
	})
	t.Run("bad line and duplicate", func(t *testing.T) {
		client, m := run(func(f *Faults) { f.BadLine, f.Duplicates = 0, 0 })
		if n := wantAll(t, client, m); n != 11 {
			t.Errorf("%d lines, want 9, one twice and a bad one", n)
		}
	})
	t.Run("expired links", func(t *testing.T) {
		client, m := run(func(f *Faults) { f.ExpireAfter = 1 })
		if _, err := read(t, client, m, 0); err != nil {
			t.Fatal(err)
		}
		_, err := read(t, client, m, 0)
		if kind, ok := kindOf(err); !ok || kind != bulkdata.Gone {
			t.Errorf("got %v, want an expired link", err)
		}
	})
	t.Run("forged manifest", func(t *testing.T) {
		client, m := run(func(f *Faults) { f.Forged = "https://elsewhere.example.org/steal?token=1" })
		_, err := read(t, client, m, 0)
		if kind, ok := kindOf(err); !ok || kind != bulkdata.Refused || strings.Contains(err.Error(), "token=1") {
			t.Errorf("got %v, want a refusal", err)
		}
	})
	t.Run("error file", func(t *testing.T) {
		_, m := run(func(f *Faults) { f.Errors = []string{"warning"} })
		if len(m.Error) != 1 {
			t.Errorf("%d error files", len(m.Error))
		}
	})
	t.Run("restart in the middle", func(t *testing.T) {
		client, m := run(func(f *Faults) { f.RestartAfterPolls = 1 })
		wantAll(t, client, m)
	})
}

func TestCancelled(t *testing.T) {
	for is200, name := range map[bool]string{false: "is gone", true: "is 200 with a part"} {
		t.Run(name, func(t *testing.T) {
			f := NoFaults()
			f.CancelledIs200 = is200
			_, client := start(t, Options{Faults: f, PerFile: 3}, nil)
			a, err := client.KickOff(t.Context(), bulkdata.Request{Level: bulkdata.LevelSystem})
			if err != nil {
				t.Fatal(err)
			}
			if err := client.Cancel(t.Context(), a.StatusURL); err != nil {
				t.Fatal(err)
			}
			for {
				s, err := client.Status(t.Context(), a.StatusURL)
				if err == nil && !s.Done {
					continue
				}
				if kind, gone := kindOf(err); is200 != (err == nil) || gone && kind != bulkdata.Gone {
					t.Errorf("got %v", err)
				}
				if is200 && len(s.Manifest.Output) != 1 {
					t.Errorf("the part has %d outputs", len(s.Manifest.Output))
				}
				return
			}
		})
	}
}

// TestVersion: the capability statement names the version of what is exported.
func TestVersion(t *testing.T) {
	for version, want := range map[string]string{"": "4.0.1", "STU3": "3.0.2", "R4": "4.0.1", "R4B": "4.3.0", "R5": "5.0.0"} {
		s, err := New(Options{FHIRVersion: version})
		if err != nil {
			t.Fatal(err)
		}
		w := httptest.NewRecorder()
		s.ServeHTTP(w, httptest.NewRequest("GET", "/fhir/metadata", nil))
		if !strings.Contains(w.Body.String(), `"fhirVersion":"`+want+`"`) {
			t.Errorf("%q: the server says %s", version, w.Body)
		}
		_ = s.Close()
	}
}
