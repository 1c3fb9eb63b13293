package azurite

import (
	"net/http"
	"testing"
)

func TestStartAndStop(t *testing.T) {
	if testing.Short() {
		t.Skip("starts Azurite")
	}
	s, err := Start(t.Context(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.Get(s.BlobURL() + "?comp=list")
	if err != nil {
		t.Fatal(err)
	}
	r.Body.Close()
	s.Stop()
	s.Stop()
	if _, err := http.Get(s.BlobURL()); err == nil {
		t.Error("Azurite still answers after Stop")
	}
}
