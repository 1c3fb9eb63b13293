package storage

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/sas"
)

// TestSignOnAzurite uses a link that is signed by a key of Azurite's, where there
// is one that knows user delegation (3.37 or newer): its script is named by
// FHIRDEID_AZURITE_NEWEST. Azurite has no folders, so the link is to one blob; all
// else of it is signed as that of a folder is.
func TestSignOnAzurite(t *testing.T) {
	script := os.Getenv("FHIRDEID_AZURITE_NEWEST")
	if script == "" {
		t.Skip("FHIRDEID_AZURITE_NEWEST does not name the script of an Azurite that knows user delegation, such as …/node_modules/azurite/dist/src/azurite.js of 3.37.0")
	}
	account, client := startOAuthAzurite(t, script)
	if err := account.EnsureContainers(t.Context(), "research"); err != nil {
		t.Fatal(err)
	}
	research := account.Container("research")
	for _, name := range []string{"run1/manifest.json", "run2/manifest.json"} {
		if _, err := research.Put(t.Context(), name, []byte(`{"of":"`+name+`"}`), PutOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	now := time.Now()
	sign := func(start, expiry time.Time) string {
		link, err := account.sign(t.Context(), "signing", Grant{Start: start, Expiry: expiry}, sas.BlobSignatureValues{
			ContainerName: "research", BlobName: "run1/manifest.json", Permissions: "r",
		})
		if err != nil {
			t.Fatal(err)
		}
		return link
	}
	link := sign(now.Add(-5*time.Minute), now.Add(time.Hour))
	if got := get(t, client, link); got != http.StatusOK {
		t.Errorf("the link answers %d", got)
	}
	other := account.BlobServiceURL() + "/research/run2/manifest.json?" + link[len(account.BlobServiceURL()+"/research/run1/manifest.json?"):]
	if got := get(t, client, other); got != http.StatusForbidden {
		t.Errorf("it opens another blob: %d", got)
	}
	if got := get(t, client, sign(now.Add(-2*time.Hour), now.Add(-time.Hour))); got != http.StatusForbidden {
		t.Errorf("a link that has ended answers %d", got)
	}
}

// unsignedToken is a token as Azurite takes it: it looks at the claims only.
type unsignedToken struct{}

func (unsignedToken) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	now := time.Now()
	part := func(v any) string {
		data, _ := json.Marshal(v)
		return base64.RawURLEncoding.EncodeToString(data)
	}
	const tenant = "66666666-7777-4888-9999-000000000000"
	token := part(map[string]any{"alg": "none", "typ": "JWT"}) + "." + part(map[string]any{
		"aud": "https://storage.azure.com", "iss": "https://sts.windows.net/" + tenant + "/", "tid": tenant,
		"oid": "11111111-2222-4333-8444-555555555555", "nbf": now.Add(-time.Minute).Unix(), "iat": now.Add(-time.Minute).Unix(), "exp": now.Add(time.Hour).Unix(),
	}) + ".x"
	return azcore.AccessToken{Token: token, ExpiresOn: now.Add(time.Hour)}, nil
}

// startOAuthAzurite starts Azurite by https, where it takes tokens.
func startOAuthAzurite(t *testing.T, script string) (*Account, *http.Client) {
	t.Helper()
	dir := t.TempDir()
	pool := writeCertificate(t, dir)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	port := listener.Addr().(*net.TCPAddr).Port
	listener.Close()
	cmd := exec.CommandContext(t.Context(), "node", filepath.Join(filepath.Dir(script), "blob", "main.js"), "--silent", "--skipApiVersionCheck", "--disableTelemetry", "--inMemoryPersistence",
		"--oauth", "basic", "--cert", filepath.Join(dir, "cert.pem"), "--key", filepath.Join(dir, "key.pem"), "--blobHost", "127.0.0.1", "--blobPort", fmt.Sprint(port))
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })

	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig.RootCAs = pool
	transport.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, address)
	}
	client := &http.Client{Transport: transport}
	endpoint := fmt.Sprintf("https://devstoreaccount1.blob.localhost:%d", port)
	for deadline := time.Now().Add(time.Minute); ; {
		if r, err := client.Get(endpoint); err == nil {
			r.Body.Close()
			break
		} else if time.Now().After(deadline) {
			t.Fatalf("Azurite does not answer: %v", err)
		}
		time.Sleep(50 * time.Millisecond) // a program of others, which says nothing when it is ready
	}
	account, err := OpenAccount(Connection{Name: "LakeStorage", BlobServiceURI: endpoint, Credential: unsignedToken{}, Transport: client})
	if err != nil {
		t.Fatal(err)
	}
	return account, client
}

func writeCertificate(t *testing.T, dir string) *x509.CertPool {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		DNSNames: []string{"localhost", "devstoreaccount1.blob.localhost"}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	cert := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	for name, data := range map[string][]byte{"cert.pem": cert, "key.pem": pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(cert)
	return pool
}
