package funchost

import (
	"testing"
)

func otherRows() map[string]row {
	rows := map[string]row{
		"func-start-auth": held(func(t *testing.T, tr *transcript) {
			b := eventGridBench(t, nil)
			type answer struct{ Status int }
			r, _ := b.post("POST", "/admin/functions/Eg", `{"input":"c/x"}`)
			if want := reaction[answer](t, tr, "admin"); r.StatusCode != want.Status {
				t.Errorf("admin: %d, recorded %d", r.StatusCode, want.Status)
			}
			b.notifyHost("Host.Functions.Eg", events(eventData("c/x", "0x1")), reaction[answer](t, tr, "eg").Status)
		}),

		"lifecycle-start":                      elsewhere("TestHandlerStart"),
		"lifecycle-executable-and-arguments":   elsewhere("TestExecutableAndArguments"),
		"lifecycle-executable-missing":         elsewhere("TestExecutableMissing"),
		"lifecycle-override-by-setting":        elsewhere("TestOverrideBySetting"),
		"lifecycle-exit-0":                     elsewhere("TestExitZeroIsFinal"),
		"lifecycle-exit-1":                     elsewhere("TestExitIsRestarted"),
		"lifecycle-exit-200":                   elsewhere("TestExitIsRestarted"),
		"lifecycle-kill-9":                     elsewhere("TestExitIsRestarted"),
		"lifecycle-exit-1-always":              elsewhere("TestThirdExitEndsTheHost"),
		"lifecycle-exit-with-four-in-flight":   elsewhere("TestCrashFailsEverythingOpen"),
		"lifecycle-start-exit-1":               elsewhere("TestStartExits"),
		"lifecycle-start-exit-0":               elsewhere("TestStartExits"),
		"lifecycle-slow-start-20s":             elsewhere("TestSlowStart"),
		"lifecycle-slow-start-45s":             elsewhere("TestSlowStart"),
		"lifecycle-slow-start-45s-timeout-60s": elsewhere("TestSlowStart"),
		"lifecycle-function-timeout":           elsewhere("TestFunctionTimeout"),
		"lifecycle-function-timeout-others":    elsewhere("TestFunctionTimeout"),
		"lifecycle-simultaneous-timeouts":      elsewhere("TestSimultaneousTimeouts"),
		"lifecycle-sigterm-short":              elsewhere("TestDrain"),
		"lifecycle-sigterm-long":               elsewhere("TestDrain"),
		"lifecycle-ctrl-c-group":               elsewhere("TestSameProcessGroup"),
		"lifecycle-host-sigkill":               notHeld("it is the host that is killed; what the handler sees is its parent gone, which TestDrain shows with LeaveHandler"),
	}
	for _, name := range []string{"http-get", "http-post-json", "http-post-text", "http-post-binary", "http-return-value", "http-reply-500",
		"http-forward-get", "http-forward-post", "http-forward-not-applied"} {
		rows[name] = notHeld("the stand-in has no HTTP triggers; this project has none")
	}
	return rows
}

// TestAdminAnswers holds the answers of the admin endpoint that were recorded
// with the timer.
func TestAdminAnswers(t *testing.T) {
	tr := loadTranscript(t, transcriptDir(t), "timer-admin-invoke")
	b := tr.bench(t, func(a *benchApp) {
		a.options.MasterKey = "master"
		disabled := oneBinding("queueTrigger", "q", "queueName", "q")
		disabled["disabled"] = true
		a.functions["Off"] = disabled
	})
	b.start()
	for name, call := range map[string][]string{
		"timer":      {"/admin/functions/TimerA", `{"input":"tick"}`, "master"},
		"unknown":    {"/admin/functions/Nope", `{"input":"x"}`, "master"},
		"disabled":   {"/admin/functions/Off", `{"input":"x"}`, "master"},
		"empty-body": {"/admin/functions/TimerA", `{}`, "master"},
		"no-body":    {"/admin/functions/TimerA", "", "master"},
		"nokey":      {"/admin/functions/TimerA", `{"input":"x"}`, ""},
	} {
		want := reaction[map[string]struct{ Status int }](t, tr, "adminResponses")[name].Status
		r, body := b.post("POST", call[0], call[1], "x-functions-key", call[2])
		if r.StatusCode != want || body != "" {
			t.Errorf("%s: %d %q, recorded %d", name, r.StatusCode, body, want)
		}
	}
	if r, body := b.post("GET", "/admin/host/status", "", "x-functions-key", "master"); r.StatusCode != 200 || len(body) == 0 {
		t.Errorf("status: %d", r.StatusCode)
	}
}
