package funchost

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"strings"
)

// result is what a handler's reply says.
type result struct {
	outputs     map[string]json.RawMessage
	logs        []string
	returnValue json.RawMessage
}

// errHang marks a reply that the host takes for no reply at all: the
// invocation stays open until functionTimeout.
var errHang = errors.New("the handler answered 2xx without a JSON object: the real host hangs until functionTimeout")

// judge applies the host's rules to a reply. It returns the result, errHang, or
// the reason why the invocation failed.
func judge(r response) (*result, error) {
	if r.status < 200 || r.status > 299 {
		return nil, fmt.Errorf("response status code does not indicate success: %d (%s)", r.status, http.StatusText(r.status))
	}
	if len(r.body) == 0 {
		return nil, errHang
	}
	media, _, err := mime.ParseMediaType(r.contentType)
	switch {
	case r.contentType == "":
		return nil, errors.New("invalid HttpResponseMessage: no Content-Type, taken as application/octet-stream")
	case err != nil, media != "application/json" && media != "text/json":
		return nil, errors.New("invalid HttpResponseMessage: the Content-Type is neither application/json nor text/json")
	}
	body := bytes.TrimPrefix(r.body, []byte("\xef\xbb\xbf"))
	if trimmed := bytes.TrimSpace(body); len(trimmed) == 0 || string(trimmed) == "null" {
		return nil, errHang
	}
	var members map[string]json.RawMessage
	// What follows the object is not looked at.
	if json.NewDecoder(bytes.NewReader(body)).Decode(&members) != nil {
		return nil, errors.New("invalid HttpResponseMessage: the body is not a JSON object")
	}
	out := new(result)
	for name, raw := range members {
		switch strings.ToLower(name) {
		case "outputs":
			if json.Unmarshal(raw, &out.outputs) != nil {
				return nil, errors.New("invalid HttpResponseMessage: Outputs is not an object")
			}
		case "logs":
			if out.logs, err = readLogs(raw); err != nil {
				return nil, err
			}
		case "returnvalue":
			out.returnValue = raw
		}
	}
	return out, nil
}

func readLogs(raw json.RawMessage) ([]string, error) {
	var items []any
	if json.Unmarshal(raw, &items) != nil {
		return nil, errors.New("invalid HttpResponseMessage: Logs is not an array")
	}
	var lines []string
	for _, item := range items {
		switch v := item.(type) {
		case nil:
			lines = append(lines, "")
		case string:
			lines = append(lines, v)
		case float64, bool:
			lines = append(lines, fmt.Sprint(v))
		default:
			return nil, errors.New("invalid HttpResponseMessage: Logs holds something that is no text")
		}
	}
	return lines, nil
}
