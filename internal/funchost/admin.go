package funchost

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"time"
)

// maxAdminBody bounds a request to the admin endpoint or the webhook.
const maxAdminBody = 4 << 20

// AdminURL is where the admin endpoint listens: http://127.0.0.1:port.
func (h *Host) AdminURL() string { return "http://" + h.admin.Addr().String() }

// EventURL is the webhook of a blob function, for an Event Grid subscription.
func (h *Host) EventURL(function string) string {
	u := h.AdminURL() + "/runtime/webhooks/blobs?functionName=Host.Functions." + function
	if h.options.SystemKey != "" {
		u += "&code=" + h.options.SystemKey
	}
	return u
}

// serveAdmin answers until the returned function is called.
func (h *Host) serveAdmin() (stop func()) {
	server := &http.Server{Handler: h.adminHandler(), ReadHeaderTimeout: 10 * time.Second}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(h.admin)
	}()
	return func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if server.Shutdown(ctx) != nil {
			_ = server.Close()
		}
		<-done
	}
}

func (h *Host) adminHandler() http.Handler {
	started := h.clock.Now()
	mux := http.NewServeMux()
	mux.HandleFunc("POST /admin/functions/{name}", h.guard(h.options.MasterKey, h.serveFire))
	mux.HandleFunc("GET /admin/host/status", h.guard(h.options.MasterKey, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		_ = json.NewEncoder(w).Encode(map[string]any{
			"id": h.id, "state": "Running", "version": h.version, "versionDetails": h.version + " (stand-in host)",
			"platformVersion": "", "instanceId": "", "computerName": "", "processUptime": h.uptime(started),
		})
	}))
	mux.HandleFunc("/admin/host/ping", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("/runtime/webhooks/blobs", h.guard(h.options.SystemKey, h.serveBlobEvents))
	return mux
}

// guard asks for a key, in the header x-functions-key or as ?code=, where one
// is set.
func (h *Host) guard(key string, next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		given := r.Header.Get("x-functions-key")
		if given == "" {
			given = r.URL.Query().Get("code")
		}
		if key != "" && subtle.ConstantTimeCompare([]byte(given), []byte(key)) != 1 {
			w.Header().Set("WWW-Authenticate", "Bearer")
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxAdminBody)
		next(w, r)
	}
}

// serveFire is POST /admin/functions/<name> {"input":"…"}: 202 at once.
func (h *Host) serveFire(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil || len(body) == 0 {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	var call struct {
		Input any `json:"input"`
	}
	if json.Unmarshal(body, &call) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	input, ok := call.Input.(string)
	if !ok && call.Input != nil {
		text, _ := json.Marshal(call.Input)
		input = string(text)
	}
	if err := h.Fire(r.PathValue("name"), input); errors.Is(err, ErrUnknownFunction) {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	w.WriteHeader(http.StatusAccepted)
}
