package installation

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"fhirdeid/internal/bulkdata"
	"fhirdeid/internal/settings"
	"fhirdeid/internal/storage"
)

// asked is what a server was asked, and with what.
type asked struct {
	mu   sync.Mutex
	list []string
}

func (a *asked) serve(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	a.list = append(a.list, r.URL.Path+" "+strings.Fields(r.Header.Get("Authorization") + " none")[0])
	a.mu.Unlock()
	switch {
	case strings.HasSuffix(r.URL.Path, "denied"):
		w.Header().Set("X-Ms-Error-Code", "AuthorizationPermissionMismatch")
		w.WriteHeader(http.StatusForbidden)
	case strings.HasSuffix(r.URL.Path, "gone"):
		w.WriteHeader(http.StatusNotFound)
	default:
		w.Header().Set("ETag", `"0x1"`)
		fmt.Fprint(w, "a line\n")
	}
}

// TestExportAccount: files in the server's export account are read with the
// rights of the setting ExportStorage, whatever the manifest says of tokens, and
// those rights go nowhere else.
func TestExportAccount(t *testing.T) {
	var blobs, fhir asked
	account := httptest.NewServer(http.HandlerFunc(blobs.serve))
	defer account.Close()
	server := httptest.NewServer(http.HandlerFunc(fhir.serve))
	defer server.Close()
	s := &settings.Settings{FHIRServerURL: server.URL, FHIRServerProfile: bulkdata.Azure, FHIRAuth: "none"}
	s.Export = storage.Connection{Name: "ExportStorage",
		ConnectionString: "DefaultEndpointsProtocol=http;AccountName=export;AccountKey=bm8ga2V5;BlobEndpoint=" + account.URL + "/export;"}
	e, err := openExporter(t.Context(), s, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	read := func(url string) (string, error) {
		body, err := e.Open(t.Context(), bulkdata.File{URL: url})
		if err != nil {
			return "", err
		}
		defer body.Close()
		data, err := io.ReadAll(body)
		return string(data), err
	}
	for _, url := range []string{account.URL + "/export/files/2026/Patient-1.ndjson", server.URL + "/file/1"} {
		if got, err := read(url); err != nil || got != "a line\n" {
			t.Errorf("%s gives %q, %v", url, got, err)
		}
	}
	if want := "/export/files/2026/Patient-1.ndjson SharedKey"; len(blobs.list) != 1 || blobs.list[0] != want {
		t.Errorf("the account was asked %v, want %s", blobs.list, want)
	}
	if want := "/file/1 none"; len(fhir.list) != 1 || fhir.list[0] != want {
		t.Errorf("the FHIR server was asked %v, want %s", fhir.list, want)
	}
	for url, want := range map[string]struct {
		kind bulkdata.Kind
		says string
	}{
		account.URL + "/export/files/denied":               {bulkdata.Denied, "Storage Blob Data Reader"},
		account.URL + "/export/files/gone":                 {bulkdata.Gone, "not found"},
		account.URL + "/other/files/1":                     {bulkdata.Refused, "ExportStorage"},
		"https://other.blob.core.windows.net/files/1?sig=": {bulkdata.Refused, "ExportStorage"},
	} {
		_, err := read(url)
		var e *bulkdata.Error
		if !errors.As(err, &e) || e.Kind != want.kind || !strings.Contains(e.Error(), want.says) {
			t.Errorf("%s gives %v, want kind %d with %q", url, err, want.kind, want.says)
		}
	}
}
