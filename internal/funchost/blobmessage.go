package funchost

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
)

// blobMessage is what the host puts on its internal queue for a blob event,
// whichever way the event came.
type blobMessage struct {
	Type          string
	FunctionID    string `json:"FunctionId"`
	BlobType      string
	ContainerName string
	BlobName      string
	ETag          string
}

// blobPoisonQueue is where blob events end that failed too often.
const blobPoisonQueue = "webjobs-blobtrigger-poison"

func newBlobMessage(e BlobEvent) blobMessage {
	if e.BlobType == "" {
		e.BlobType = "BlockBlob"
	}
	return blobMessage{Type: "BlobTrigger", FunctionID: "Host.Functions." + e.Function, BlobType: e.BlobType,
		ContainerName: e.Container, BlobName: e.Blob, ETag: e.ETag}
}

// encode is indented JSON in base64, as it stands on the queue.
func (m blobMessage) encode() string {
	var b strings.Builder
	b.WriteString("{")
	for i, f := range (object{
		{"Type", quote(m.Type)}, {"FunctionId", quote(m.FunctionID)}, {"BlobType", quote(m.BlobType)},
		{"ContainerName", quote(m.ContainerName)}, {"BlobName", quote(m.BlobName)}, {"ETag", quote(m.ETag)},
	}) {
		if i > 0 {
			b.WriteString(",")
		}
		b.WriteString("\n  " + quote(f.key) + ": " + f.value)
	}
	b.WriteString("\n}")
	return base64.StdEncoding.EncodeToString([]byte(b.String()))
}

var errBlobMessage = errors.New("not a message about a blob")

func decodeBlobMessage(text string) (blobMessage, error) {
	var m blobMessage
	data, err := base64.StdEncoding.DecodeString(text)
	if err != nil || json.Unmarshal(data, &m) != nil || m.Type != "BlobTrigger" {
		return blobMessage{}, errBlobMessage
	}
	return m, nil
}

func (m blobMessage) function() string { return strings.TrimPrefix(m.FunctionID, "Host.Functions.") }

func (m blobMessage) event() BlobEvent {
	return BlobEvent{Function: m.function(), Container: m.ContainerName, Blob: m.BlobName, ETag: m.ETag, BlobType: m.BlobType}
}
