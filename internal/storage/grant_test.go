package storage

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
)

// anyToken is an identity that always has a token.
type anyToken struct{}

func (anyToken) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{Token: "token", ExpiresOn: time.Now().Add(time.Hour)}, nil
}

const lakeHost = "lake.blob.core.windows.net"

// lake is a fake account with hierarchical namespace that gives out a user
// delegation key and checks links by the rules of
// https://learn.microsoft.com/rest/api/storageservices/create-user-delegation-sas,
// written down here for themselves.
type lake struct {
	key     []byte
	folders bool
	denied  bool
	now     time.Time
}

func (l *lake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	switch {
	case q.Get("comp") == "userdelegationkey" && r.Method == http.MethodPost:
		if l.denied {
			w.Header().Set("x-ms-error-code", "AuthorizationPermissionMismatch")
			w.WriteHeader(http.StatusForbidden)
			return
		}
		body, _ := io.ReadAll(r.Body)
		start, expiry := between(string(body), "Start"), between(string(body), "Expiry")
		w.Header().Set("Content-Type", "application/xml")
		fmt.Fprintf(w, `<?xml version="1.0"?><UserDelegationKey><SignedOid>11111111-2222-3333-4444-555555555555</SignedOid><SignedTid>66666666-7777-8888-9999-000000000000</SignedTid><SignedStart>%s</SignedStart><SignedExpiry>%s</SignedExpiry><SignedService>b</SignedService><SignedVersion>%s</SignedVersion><Value>%s</Value></UserDelegationKey>`,
			start, expiry, r.Header.Get("x-ms-version"), base64.StdEncoding.EncodeToString(l.key))
	case q.Get("restype") == "account":
		w.Header().Set("x-ms-is-hns-enabled", fmt.Sprint(l.folders))
	case q.Get("sig") != "":
		if why := l.refuses(r); why != "" {
			http.Error(w, why, http.StatusForbidden)
		}
	default:
		http.Error(w, "no signature", http.StatusForbidden)
	}
}

// refuses says why a request by a link is not let in, or "".
func (l *lake) refuses(r *http.Request) string {
	q := r.URL.Query()
	depth := strings.Count(q.Get("sdd"), "1") // one level is all that is signed here
	segments := strings.Split(strings.TrimPrefix(r.URL.Path, "/"), "/")
	if q.Get("sr") != "d" || q.Get("sdd") != "1" || len(segments) < 1+depth {
		return "scope"
	}
	signedTo := strings.Join([]string{
		q.Get("sp"), q.Get("st"), q.Get("se"), "/blob/lake/" + strings.Join(segments[:1+depth], "/"),
		q.Get("skoid"), q.Get("sktid"), q.Get("skt"), q.Get("ske"), q.Get("sks"), q.Get("skv"),
		"", "", q.Get("scid"), "", "", q.Get("sip"), q.Get("spr"), q.Get("sv"), q.Get("sr"), "", "", "", "", "", "", "", "", "",
	}, "\n")
	mac := hmac.New(sha256.New, l.key)
	mac.Write([]byte(signedTo))
	start, err1 := time.Parse(time.RFC3339, q.Get("st"))
	expiry, err2 := time.Parse(time.RFC3339, q.Get("se"))
	switch {
	case base64.StdEncoding.EncodeToString(mac.Sum(nil)) != q.Get("sig"):
		return "signature"
	case err1 != nil || err2 != nil || l.now.Before(start) || !l.now.Before(expiry):
		return "time"
	case r.Method != http.MethodGet || !strings.Contains(q.Get("sp"), "r"):
		return "permission"
	}
	return ""
}

func between(xml, tag string) string {
	_, rest, _ := strings.Cut(xml, "<"+tag+">")
	value, _, _ := strings.Cut(rest, "</"+tag+">")
	return value
}

// openLake opens the account at the fake, whatever its name resolves to.
func openLake(t *testing.T, l *lake) (*Account, *http.Client) {
	t.Helper()
	server := httptest.NewTLSServer(l)
	t.Cleanup(server.Close)
	client := server.Client()
	transport := client.Transport.(*http.Transport).Clone()
	transport.TLSClientConfig.InsecureSkipVerify = true
	transport.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, server.Listener.Addr().String())
	}
	client.Transport = transport
	a, err := OpenAccount(Connection{Name: "LakeStorage", BlobServiceURI: "https://" + lakeHost, Credential: anyToken{}, Transport: client})
	if err != nil {
		t.Fatal(err)
	}
	return a, client
}

// TestSign looks at every field of a link, and uses it.
func TestSign(t *testing.T) {
	now := time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)
	l := &lake{key: []byte("0123456789abcdef0123456789abcdef"), folders: true, now: now}
	account, client := openLake(t, l)
	grant := Grant{
		Container: "research", Directory: "20261122T010000Z", Start: now.Add(-5 * time.Minute), Expiry: now.Add(48 * time.Hour),
		From: netip.MustParseAddr("203.0.113.0"), To: netip.MustParseAddr("203.0.113.63"), ID: "0f7f2c4e-5f5b-4c44-9b5f-0c1f8f0a7a11",
	}
	link, err := account.Sign(t.Context(), grant)
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(link)
	if err != nil {
		t.Fatal(err)
	}
	if u.Scheme != "https" || u.Host != lakeHost || u.Path != "/research/20261122T010000Z" {
		t.Errorf("the link goes to %s://%s%s", u.Scheme, u.Host, u.Path)
	}
	q := u.Query()
	for name, want := range map[string]string{
		"sp": "rl", "spr": "https", "sr": "d", "sdd": "1", "sip": "203.0.113.0-203.0.113.63",
		"st": "2026-11-22T07:55:00Z", "se": "2026-11-24T08:00:00Z", "scid": grant.ID,
		"skoid": "11111111-2222-3333-4444-555555555555", "sktid": "66666666-7777-8888-9999-000000000000",
		"skt": "2026-11-22T07:55:00Z", "ske": "2026-11-24T08:00:00Z", "sks": "b",
	} {
		if q.Get(name) != want {
			t.Errorf("%s is %q, want %q", name, q.Get(name), want)
		}
	}
	known := []string{"scid", "sdd", "se", "sig", "sip", "ske", "skoid", "sks", "skt", "sktid", "skv", "sp", "spr", "sr", "st", "sv"}
	if got := slices.Sorted(maps.Keys(q)); !slices.Equal(got, known) {
		t.Errorf("the link has the fields %v", got)
	}

	// What it opens, and what it does not.
	for path, want := range map[string]int{
		"/research/20261122T010000Z/manifest.json":           200,
		"/research/20261122T010000Z/Patient.000000.x.ndjson": 200,
		"/research/20261121T010000Z/manifest.json":           403,
		"/research/20261122T010000Z-manual/manifest.json":    403,
		"/research": 403,
		"/staging/20261122T010000Z/Patient.000000.x.0000.ndjson": 403,
	} {
		at := *u
		at.Path = path
		if got := get(t, client, at.String()); got != want {
			t.Errorf("%s answers %d, want %d", path, got, want)
		}
	}
	file := *u
	file.Path += "/manifest.json"
	for name, value := range map[string]string{"sp": "rwl", "se": "2026-12-24T08:00:00Z", "sdd": "0", "sip": "0.0.0.0-255.255.255.255", "spr": "https,http"} {
		changed, q := file, file.Query()
		q.Set(name, value)
		changed.RawQuery = q.Encode()
		if get(t, client, changed.String()) != 403 {
			t.Errorf("a link with %s changed still opens", name)
		}
	}
	l.now = grant.Expiry
	if get(t, client, file.String()) != 403 {
		t.Error("the link opens after its end")
	}
	l.now = grant.Start.Add(-time.Second)
	if get(t, client, file.String()) != 403 {
		t.Error("the link opens before its start")
	}
}

func get(t *testing.T, client *http.Client, url string) int {
	t.Helper()
	r, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	r.Body.Close()
	return r.StatusCode
}

func TestSignOneAddressOrAny(t *testing.T) {
	now := time.Now()
	account, _ := openLake(t, &lake{key: []byte("k"), folders: true})
	one := netip.MustParseAddr("203.0.113.7")
	for want, g := range map[string]Grant{"203.0.113.7": {From: one, To: one}, "": {}} {
		g.Container, g.Directory, g.Start, g.Expiry = "research", "run", now, now.Add(time.Hour)
		link, err := account.Sign(t.Context(), g)
		if err != nil {
			t.Fatal(err)
		}
		u, _ := url.Parse(link)
		if got := u.Query().Get("sip"); got != want {
			t.Errorf("sip is %q, want %q", got, want)
		}
	}
}

func TestSignRefused(t *testing.T) {
	g := Grant{Container: "research", Directory: "run", Start: time.Now(), Expiry: time.Now().Add(time.Hour)}
	flat, _ := openLake(t, &lake{})
	if _, err := flat.Sign(t.Context(), g); !errors.Is(err, ErrNoFolders) {
		t.Errorf("a flat account gives %v", err)
	}
	denied, _ := openLake(t, &lake{folders: true, denied: true})
	if _, err := denied.Sign(t.Context(), g); !errors.Is(err, ErrDenied) || !strings.Contains(err.Error(), "Storage Blob Delegator") {
		t.Errorf("without the role: %v", err)
	}
	keyed, err := OpenAccount(Connection{Name: "LakeStorage", ConnectionString: developmentStorage})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := keyed.Sign(t.Context(), g); !errors.Is(err, ErrNoIdentity) {
		t.Errorf("an account with a key gives %v", err)
	}
}

// TestUnreachable: an account that is not there is told in a sentence, with what
// to look at.
func TestUnreachable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // the pauses between tries take no time
		noHost := &http.Client{Transport: &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
			return nil, &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "no such host", Name: lakeHost, IsNotFound: true}}
		}}}
		account, err := OpenAccount(Connection{Name: "LakeStorage", BlobServiceURI: "https://" + lakeHost, Credential: anyToken{}, Transport: noHost})
		if err != nil {
			t.Fatal(err)
		}
		_, err = account.Container("research").Head(t.Context(), "x")
		if !errors.Is(err, ErrUnreachable) || !strings.Contains(err.Error(), "LakeStorage__blobServiceUri") || strings.Contains(err.Error(), "https://") {
			t.Errorf("the error is %v", err)
		}
	})
}
