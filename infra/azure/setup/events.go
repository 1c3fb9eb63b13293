package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"fhirdeid/infra/package/staging"
)

// blobFunction is the function that blob events are for.
const blobFunction = "AnonymizeFile"

// The app makes its key when it first starts, and answers Event Grid's question
// whether it wants events only while it runs.
const (
	startTries = 30
	startPause = 20 * time.Second
)

// events makes the subscription that tells the app of new files, or makes it
// anew. An isolated installation has none.
func (s *setup) events(ctx context.Context, in installation) error {
	if in["TOPIC_NAME"] == "" {
		s.say("There is no Event Grid here: the heartbeat hands files on.")
		return nil
	}
	hook, err := s.webhook(ctx, in["APP_NAME"])
	if err != nil {
		return err
	}
	var account struct{ ID string }
	if err := s.query(ctx, &account, "storage", "account", "show", "--resource-group", s.group, "--name", in["HOST_ACCOUNT"]); err != nil {
		return err
	}
	file, remove, err := parameters(map[string]string{
		"topicName": in["TOPIC_NAME"], "hostAccountId": account.ID, "webhookUrl": hook,
	})
	if err != nil {
		return err
	}
	defer remove()
	root, err := staging.Root()
	if err != nil {
		return err
	}
	template := filepath.Join(root, "infra", "azure", "subscription.bicep")
	for try := 1; ; try++ {
		_, err = s.az.run(ctx, "deployment", "group", "create", "--resource-group", s.group, "--name", "fhirdeid-events",
			"--template-file", template, "--parameters", "@"+file, "--output", "none")
		if err == nil {
			s.say("Event Grid tells the app of new files.")
			return nil
		}
		// The complaint quotes the address, and so the key.
		err = hide(err, hook)
		if !is(err, "handshake", "validation", "Webhook") || try == 5 {
			return fmt.Errorf("making the Event Grid subscription: %w", err)
		}
		if err := s.pause(ctx, startPause); err != nil {
			return err
		}
	}
}

// webhook is the address at which the app takes events, with its key. It waits
// until the app has started.
func (s *setup) webhook(ctx context.Context, app string) (string, error) {
	var site struct{ DefaultHostName string }
	if err := s.query(ctx, &site, "functionapp", "show", "--resource-group", s.group, "--name", app); err != nil {
		return "", err
	}
	for try := range startTries {
		var key string
		err := s.query(ctx, &key, "functionapp", "keys", "list", "--resource-group", s.group, "--name", app, "--query", "systemKeys.blobs_extension || ''")
		if err == nil && key != "" {
			return "https://" + site.DefaultHostName + "/runtime/webhooks/blobs?functionName=Host.Functions." + blobFunction + "&code=" + url.QueryEscape(key), nil
		}
		var fault *azError
		if err != nil && !errors.As(err, &fault) {
			return "", err
		}
		if try == 0 {
			s.say("Waiting for the app to start …")
		}
		if err := s.pause(ctx, startPause); err != nil {
			return "", err
		}
	}
	return "", fmt.Errorf("the app %s has not started: it has no key for blob events. See its log: az webapp log tail --resource-group %s --name %s", app, s.group, app)
}

// parameters writes a parameters file that nobody else can read.
func parameters(values map[string]string) (path string, remove func(), err error) {
	type value struct {
		Value string `json:"value"`
	}
	all := make(map[string]value, len(values))
	for name, v := range values {
		all[name] = value{v}
	}
	data, err := json.Marshal(map[string]any{
		"$schema":        "https://schema.management.azure.com/schemas/2019-04-01/deploymentParameters.json#",
		"contentVersion": "1.0.0.0",
		"parameters":     all,
	})
	if err != nil {
		return "", nil, err
	}
	return privateFile("parameters.json", data)
}

// hide takes an address with a key out of what the CLI complained of, as a whole
// and the key alone, as it is and escaped.
func hide(err error, address string) error {
	var e *azError
	if !errors.As(err, &e) {
		return err
	}
	_, code, _ := strings.Cut(address, "code=")
	plain, unescape := url.QueryUnescape(code)
	secrets := []string{address, code}
	if unescape == nil {
		secrets = append(secrets, plain)
	}
	text := e.text
	for _, secret := range secrets {
		if secret != "" {
			text = strings.ReplaceAll(text, secret, "…")
		}
	}
	return &azError{call: e.call, text: text}
}
