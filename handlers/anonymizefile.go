package handlers

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/url"
	"strings"

	"fhirdeid/internal/pipeline"
)

// blobBinding is the name of the blob binding in function.json.
const blobBinding = "blob"

// errContent says that the host sends content where a reference is due.
var errContent = errors.New("the host sent the blob's content instead of a reference, so nothing was done. " +
	"The blob function must have one binding only, with properties.supportsDeferredBinding true; see functions/AnonymizeFile/function.json")

// anonymizeFile answers the event of a blob. The host checks neither account
// nor container nor name, so a foreign blob is passed over here.
func anonymizeFile(ctx context.Context, in *Installation, e *envelope, log *slog.Logger) error {
	if !isReference(e.Data[blobBinding]) {
		return errContent
	}
	name, ok := blobName(text(e.Metadata["Uri"]), in.RawContainer)
	if !ok {
		log.Warn(pipeline.EventForeignBlob)
		return nil
	}
	return in.Pipeline.Anonymize(ctx, name)
}

// isReference reports whether the value is an object: content is a string.
func isReference(raw json.RawMessage) bool {
	return bytes.HasPrefix(bytes.TrimSpace(raw), []byte("{"))
}

// blobName is the name of a blob within the container, from its URL.
func blobName(uri string, container *url.URL) (string, bool) {
	u, err := url.Parse(uri)
	if err != nil || !strings.EqualFold(u.Host, container.Host) {
		return "", false
	}
	prefix := strings.TrimSuffix(container.Path, "/") + "/"
	name, ok := strings.CutPrefix(u.Path, prefix) // u.Path is decoded
	return name, ok && name != ""
}
