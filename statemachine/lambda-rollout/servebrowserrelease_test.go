package main

import (
	"strings"

	"github.com/chromedp/chromedp"

	"github.com/lambda-rollout/lambda-rollout/statemachine/internal/browsertest"
)

// releaseIt starts a release of version 1, pauses it, and sees it rolled back as its version
// goes bad.
func (r reader) releaseIt() {
	r.click(`//nav/a[text()="Releases"]`)
	r.shows("#live", "There are no releases.")
	r.click(`//nav/a[text()="Start a release"]`)
	r.fill("name", "both", "field-release", "Both of them", "field-rollouts", "{")
	r.click("button.primary")
	r.shows("#problems", "rollouts must be JSON")
	r.sound()
	r.fill("field-check-interval", "10", "field-rollouts", `{"cart": {"function-name": "MyFunction", "alias-name": "MyAlias", "new-version": "1", "type": "linear", "steps": 5, "interval": 120}}`)
	r.click("button.primary")
	r.shows("#content", "The execution was started.")
	r.advance(30)
	r.shows("#progress", "1 under way")
	r.shows("#members tbody tr", "cart1MyFunction:MyAlias120%▶ under way")
	r.shows("#waves tbody tr", "1120%1 under way")
	r.Do(chromedp.Evaluate(`document.querySelector("#stop").open = true; document.querySelector("#cause").value = "half a cause"`, nil))
	r.click(`//button[text()="Pause"]`)
	r.shows("#content", "The order pause was given.")
	r.advance(20)
	r.shows("#outcome", "Paused")
	r.shows("#pause", "Held by an order of arn:aws:iam::123456789012:user/local")
	r.sound()
	r.click(`//button[text()="Resume"]`)
	r.advance(240)
	r.shows("#outcome", "Rolled back")
	r.shows("#reason", "cart ended as rolled-back: Rolled back at")
	r.shows("#decision", "roll-back")
	r.shows("#members tbody tr", "✕ rolled back")
	r.sound()
	link := browsertest.Ask[string](r.Tab, `document.querySelector("#members a").href`)
	r.click(`#members a`)
	r.shows("#outcome", "failed")
	if at := browsertest.Ask[string](r.Tab, "location.href"); at != link || !strings.Contains(at, "both.cart.") {
		r.t.Errorf("the rollout's link %s leads to %s", link, at)
	}
	r.click(`//nav/a[text()="Releases"]`)
	r.shows("tbody tr", "both✕ failed")
}
