package main

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"fhirdeid/internal/storage"
)

func TestPushable(t *testing.T) {
	good := []byte(`{"fhirPathRules":[{"path":"nodesByType('HumanName')","method":"redact"}]}`)
	strict := []byte(`{"mode":"strict","fhirPathRules":[]}`)
	for name, tt := range map[string]struct {
		blob string
		data []byte
		app  bool
		says string // "" is none
	}{
		"good":             {"deid.json", good, false, ""},
		"good for the app": {"deid.json", good, true, ""},
		"ours only":        {"deid.json", strict, false, "fhirdeid lint"},
		"ours":             {"deid.json", strict, true, ""},
		"no rules":         {"deid.json", []byte(`{}`), false, "fhirdeid lint"},
		"long":             {"deid.json", append(good, bytes.Repeat([]byte(" "), maxServerConfig)...), false, "at most"},
		"a path":           {"../deid.json", good, false, "--name"},
		"with an ETag":     {"deid.json:0x8D1", good, false, "--name"},
	} {
		_, err := pushable(tt.blob, tt.data, tt.app)
		if (err != nil) != (tt.says != "") || err != nil && !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// missing is a container that is not there until it is made.
type missing struct {
	storage.Container
	made *bool
}

func (m missing) Put(ctx context.Context, name string, data []byte, o storage.PutOptions) (storage.ETag, error) {
	if !*m.made {
		return "", storage.ErrNotFound
	}
	return m.Container.Put(ctx, name, data, o)
}

func TestPush(t *testing.T) {
	made := false
	c := storage.NewMemory(time.Now).Container("anonymization")
	to := place{container: missing{c, &made}, account: "ExportStorage", make: func(context.Context) error { made = true; return nil }}
	data := []byte(`{"fhirPathRules":[],"parameters":{"cryptoHashKey":"a key in the file"}}`)
	rules, err := pushable("deid.json", data, false)
	if err != nil {
		t.Fatal(err)
	}
	etag, err := push(t.Context(), to, "deid.json", data)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := c.Head(t.Context(), "deid.json"); err != nil || info.ETag != etag {
		t.Errorf("pushed is %v, %v", info, err)
	}
	var out bytes.Buffer
	printPushed(&out, to, "deid.json", etag, rules, false)
	if want := "EXPORT_ANONYMIZATION_CONFIG=deid.json EXPORT_ANONYMIZATION_ETAG=" + strings.Trim(string(etag), `"`) + "\n"; !strings.Contains(out.String(), want) {
		t.Errorf("printed is %s", out.String())
	}
	to.make = nil
	made = false
	if _, err := push(t.Context(), to, "deid.json", data); err == nil {
		t.Error("a missing container was passed over")
	}
}
