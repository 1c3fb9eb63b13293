package funchost

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
)

// gridEvent is an event in Event Grid's own schema or as a CloudEvent; for a
// blob both carry the same data.
type gridEvent struct {
	Data struct {
		URL            string `json:"url"`
		BlobType       string `json:"blobType"`
		ETag           string `json:"eTag"`
		ValidationCode string `json:"validationCode"`
	} `json:"data"`
}

// serveBlobEvents is the webhook that Event Grid posts to. It answers 202 to
// any event, because the real one does: neither the event type nor the
// container nor the pattern is looked at.
func (h *Host) serveBlobEvents(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodOptions {
		w.Header().Set("Webhook-Allowed-Origin", r.Header.Get("WebHook-Request-Origin"))
		return
	}
	kind := r.Header.Get("aeg-event-type")
	body, err := io.ReadAll(r.Body)
	if kind == "" || err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	events, err := readGridEvents(body)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	if strings.EqualFold(kind, "SubscriptionValidation") {
		if len(events) == 0 {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = io.WriteString(w, object{{"validationResponse", quote(events[0].Data.ValidationCode)}}.String())
		return
	}
	f := h.byID[r.URL.Query().Get("functionName")]
	if f == nil || !f.trigger.is("blobTrigger") || !strings.EqualFold(kind, "Notification") {
		w.WriteHeader(http.StatusAccepted)
		return
	}
	for _, e := range events {
		event, err := e.blobEvent(f.name)
		if err == nil {
			err = h.queueBlobEvent(r.Context(), event)
		}
		if err != nil {
			h.log.Error("the blob webhook failed", "function", f.name, "error", err)
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
	}
	w.WriteHeader(http.StatusAccepted)
}

func readGridEvents(body []byte) ([]gridEvent, error) {
	var events []gridEvent
	if body = bytes.TrimSpace(body); len(body) > 0 && body[0] == '{' {
		events = make([]gridEvent, 1)
		return events, json.Unmarshal(body, &events[0])
	}
	return events, json.Unmarshal(body, &events)
}

var errGridEvent = errors.New("the event has no usable data.url or data.blobType")

func (e gridEvent) blobEvent(function string) (BlobEvent, error) {
	container, name, ok := splitBlobURL(e.Data.URL)
	if !ok || e.Data.BlobType == "" {
		return BlobEvent{}, errGridEvent
	}
	// The host puts the quotes around that Event Grid leaves out.
	return BlobEvent{Function: function, Container: container, Blob: name, ETag: `"` + e.Data.ETag + `"`, BlobType: e.Data.BlobType}, nil
}

// splitBlobURL takes a blob's address apart. Where the host is an IP address,
// as with storage emulators, the first segment is the account.
func splitBlobURL(address string) (container, name string, ok bool) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return "", "", false
	}
	path := strings.TrimPrefix(u.Path, "/")
	if host := u.Hostname(); net.ParseIP(host) != nil || host == "localhost" {
		if _, path, ok = strings.Cut(path, "/"); !ok {
			return "", "", false
		}
	}
	container, name, ok = strings.Cut(path, "/")
	return container, name, ok && container != "" && name != ""
}
