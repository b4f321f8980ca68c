package console

import (
	"net/http"

	"github.com/lambda-rollout/lambda-rollout/statemachine/internal/loopback"
)

// maxBody limits a form, in bytes: an execution's input is at most 256 KB, and a form
// may take three bytes for one.
const maxBody = 1 << 20

// policy lets pages use only the console's own script and style sheet. Charts have
// style attributes.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; style-src-attr 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// guarded limits what pages may do, and which requests are answered.
func guarded(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Content-Security-Policy", policy)
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("Referrer-Policy", "same-origin")
		header.Set("Cross-Origin-Resource-Policy", "same-origin")
		header.Set("Cross-Origin-Opener-Policy", "same-origin")
		header.Set("Cache-Control", "no-store")
		if err := loopback.CheckPage(r); err != nil {
			http.Error(w, "Open the console by its own address: "+err.Error()+".", http.StatusForbidden)
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		h.ServeHTTP(w, r)
	})
}
