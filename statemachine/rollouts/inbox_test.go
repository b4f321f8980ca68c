package rollouts

import (
	"testing"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// TestWhatCannotBeReadIsKept: an order and its reason, until a check has read it or another
// order is read, and the reasons of orders.
func TestWhatCannotBeReadIsKept(t *testing.T) {
	const denied = "the credentials don't allow it"
	before := &Rollout{Pending: &PendingOrder{Command: rollout.PauseNow, Number: 3, Reason: "the queue grows"}, OrderReasons: map[int64]string{1: "it is late"}}
	for name, test := range map[string]struct {
		now    Rollout
		taken  int64
		number int64 // of the order afterwards; 0 for none
		reason string
		known  bool // the reasons of other orders
	}{
		"neither":                      {Rollout{OrdersUnread: denied, ReasonsUnread: denied}, 2, 3, "the queue grows", true},
		"the order":                    {Rollout{OrdersUnread: denied}, 2, 3, "the queue grows", false},
		"the order, which a check has": {Rollout{OrdersUnread: denied}, 3, 0, "", false},
		"the reasons":                  {Rollout{Pending: &PendingOrder{Number: 3}, ReasonsUnread: denied}, 2, 3, "the queue grows", true},
		"the reasons of another order": {Rollout{Pending: &PendingOrder{Number: 4}, ReasonsUnread: denied}, 2, 4, "", true},
		"nothing: all can be read":     {Rollout{}, 2, 0, "", false},
	} {
		now := test.now
		in := now.inbox()
		in.taken = test.taken
		in.keep(before.inbox())
		var number int64
		var reason string
		if now.Pending != nil {
			number, reason = now.Pending.Number, now.Pending.Reason
		}
		if number != test.number || reason != test.reason || (now.OrderReasons[1] != "") != test.known {
			t.Errorf("%s: order %d, reason %q, reasons %v", name, number, reason, now.OrderReasons)
		}
	}
}
