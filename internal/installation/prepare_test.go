package installation

import (
	"log/slog"
	"testing"
	"time"

	"fhirdeid/internal/azurite"
	"fhirdeid/internal/settings"
	"fhirdeid/internal/storage"
)

// TestPrepareLocal: the app as the example settings describe it works on an
// emulator that has nothing yet, and may be prepared again.
func TestPrepareLocal(t *testing.T) {
	if testing.Short() {
		t.Skip("starts Azurite")
	}
	server, err := azurite.Start(t.Context(), azurite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Stop()
	connection := func(name string) storage.Connection {
		return storage.Connection{Name: name, ConnectionString: server.ConnectionString()}
	}
	s := &settings.Settings{FHIRServerURL: "http://127.0.0.1:1", FHIRServerProfile: "standard", FHIRAuth: "none",
		Host: connection("AzureWebJobsStorage"), Raw: connection("RawStorage"), Lake: connection("LakeStorage")}
	in, err := Open(t.Context(), s, slog.New(slog.DiscardHandler), "test")
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := in.PrepareLocal(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	for _, account := range []struct {
		a     *storage.Account
		names []string
	}{{in.Raw, RawContainers}, {in.Lake, LakeContainers}} {
		for _, name := range account.names {
			if _, err := account.a.Container(name).Put(t.Context(), "x", nil, storage.PutOptions{}); err != nil {
				t.Error(err)
			}
		}
	}
	if err := in.Pipeline.Queues.Check.Send(t.Context(), []byte("x"), time.Second); err != nil {
		t.Error(err)
	}
}

// TestPrepareLocalIsLocal: what is in Azure is left to the templates.
func TestPrepareLocalIsLocal(t *testing.T) {
	account, err := storage.OpenAccount(storage.Connection{Name: "RawStorage",
		ConnectionString: "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=bm8ga2V5;EndpointSuffix=core.windows.net"})
	if err != nil {
		t.Fatal(err)
	}
	in := &Installation{Host: account, Raw: account, Lake: account}
	if err := in.PrepareLocal(t.Context()); err != nil {
		t.Errorf("it was tried to prepare an account in Azure: %v", err)
	}
}
