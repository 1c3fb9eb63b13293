package pipeline

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"fhirdeid/internal/storage"
)

// Tick is the message of the heartbeat.
type Tick struct {
	Run  string `json:"run"`
	Tick int64  `json:"tick"`
	// Try counts earlier tries of this tick that failed.
	Try int `json:"try,omitempty"`
}

// FetchOutput asks for one entry of a run's manifest.
type FetchOutput struct {
	Run    string `json:"run"`
	Output int    `json:"output"`
	// Try counts earlier tries that met a passing fault.
	Try int `json:"try,omitempty"`
}

// RetryFile asks for one raw file whose result is missing.
type RetryFile struct {
	Run  string `json:"run"`
	File string `json:"file"`
}

// ErrMessage says that a queue message is none of ours. Another try cannot mend
// it; the host moves it to the poison queue, where it raises an alert.
var ErrMessage = errors.New("the message is not one that this version writes")

// DecodeTick reads a heartbeat message.
func DecodeTick(data []byte) (m Tick, err error) {
	return m, decode(data, &m, func() bool { return m.Run != "" && m.Tick >= 0 })
}

// DecodeFetchOutput reads a message that asks for an output.
func DecodeFetchOutput(data []byte) (m FetchOutput, err error) {
	return m, decode(data, &m, func() bool { return m.Run != "" && m.Output >= 0 })
}

// DecodeRetryFile reads a message that asks for a file.
func DecodeRetryFile(data []byte) (m RetryFile, err error) {
	return m, decode(data, &m, func() bool { return m.Run != "" && m.File != "" })
}

// decode does not wrap the error of encoding/json, which quotes its input.
func decode(data []byte, into any, valid func() bool) error {
	if json.Unmarshal(data, into) != nil || !valid() {
		return ErrMessage
	}
	return nil
}

func send(ctx context.Context, q storage.Queue, message any, delay time.Duration) error {
	body, err := json.Marshal(message)
	if err != nil {
		return err
	}
	if err := q.Send(ctx, body, delay); err != nil {
		return fmt.Errorf("sending a message to the queue %s: %w", q.Name(), err)
	}
	return nil
}
