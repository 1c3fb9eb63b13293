package storage_test

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"fhirdeid/internal/azurite"
	"fhirdeid/internal/storage"
	"fhirdeid/internal/storage/storagetest"
)

func TestMemory(t *testing.T) {
	m := storage.NewMemory(time.Now)
	var n atomic.Int64
	storagetest.Test(t, func(*testing.T) storage.Container { return m.Container(fmt.Sprint(n.Add(1))) })
}

func TestAzure(t *testing.T) {
	if testing.Short() {
		t.Skip("needs Azurite")
	}
	account := startAzurite(t)
	var n atomic.Int64
	storagetest.Test(t, func(t *testing.T) storage.Container {
		name := fmt.Sprintf("container%d", n.Add(1))
		if err := account.EnsureContainers(t.Context(), name, name); err != nil {
			t.Fatal(err)
		}
		return account.Container(name)
	})
}

func startAzurite(t *testing.T) *storage.Account {
	t.Helper()
	server, err := azurite.Start(t.Context(), azurite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Stop)
	account, err := storage.OpenAccount(storage.Connection{Name: "Test", ConnectionString: server.ConnectionString()})
	if err != nil {
		t.Fatal(err)
	}
	return account
}

func TestAzureQueue(t *testing.T) {
	if testing.Short() {
		t.Skip("needs Azurite")
	}
	account := startAzurite(t)
	if err := account.EnsureQueues(t.Context(), "check-export", "check-export"); err != nil {
		t.Fatal(err)
	}
	q, err := account.Queue("check-export")
	if err != nil {
		t.Fatal(err)
	}
	if err := q.Send(t.Context(), []byte(`{"run":"r"}`), 0); err != nil {
		t.Fatal(err)
	}
	missing, _ := account.Queue("not-there")
	if err := missing.Send(t.Context(), nil, 0); err == nil {
		t.Error("sending to a queue that is not there is no error")
	}
}

func TestConnectionFromEnv(t *testing.T) {
	for name, c := range map[string]struct {
		env  map[string]string
		want string // blob endpoint, "string" or "error"
	}{
		"connection string":   {map[string]string{"RawStorage": "AccountName=x"}, "string"},
		"with the host's own": {map[string]string{"AzureWebJobsRawStorage": "AccountName=x"}, "string"},
		"development storage": {map[string]string{"RawStorage": "UseDevelopmentStorage=true"}, "string"},
		"identity":            {map[string]string{"RawStorage__blobServiceUri": "https://a.blob.core.windows.net"}, "https://a.blob.core.windows.net"},
		"account name":        {map[string]string{"RawStorage__accountName": "a"}, "https://a.blob.core.windows.net"},
		"nothing":             {nil, "error"},
		"both":                {map[string]string{"RawStorage": "x", "RawStorage__accountName": "a"}, "error"},
		"identity over http":  {map[string]string{"RawStorage__blobServiceUri": "http://a"}, "error"},
		"queue endpoint only": {map[string]string{"RawStorage__queueServiceUri": "https://a"}, "error"},
		"upper-case is no":    {map[string]string{"RAWSTORAGE": "x"}, "error"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := storage.ConnectionFromEnv("RawStorage", func(k string) (string, bool) { v, ok := c.env[k]; return v, ok })
			kind := got.BlobServiceURI
			switch {
			case err != nil:
				kind = "error"
			case got.ConnectionString != "":
				kind = "string"
			}
			if kind != c.want {
				t.Errorf("got %s (%v), want %s", kind, err, c.want)
			}
		})
	}
}

func TestNoSecretInErrors(t *testing.T) {
	const secret = "signature-that-must-not-be-shown"
	account, err := storage.OpenAccount(storage.Connection{Name: "RawStorage",
		ConnectionString: "BlobEndpoint=http://127.0.0.1:1/a;QueueEndpoint=http://127.0.0.1:1/a;SharedAccessSignature=sv=2024-01-01&sig=" + secret})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond) // shorter than the pause before a retry
	defer cancel()
	queue, err := account.Queue("check-export")
	if err != nil {
		t.Fatal(err)
	}
	_, headErr := account.Container("raw").Head(ctx, "x")
	for _, err := range []error{headErr, queue.Send(ctx, nil, 0)} {
		if err == nil || strings.Contains(err.Error(), secret) {
			t.Errorf("the error of an unreachable account is missing or shows the signature")
		}
	}
}
