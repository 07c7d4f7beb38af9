"""A filter in libmilter, through python3-milter, that answers what the name of its client says.

The name is STAGE-ANSWER.test, such as rcpt-reject.test: at that stage it gives that answer, else it goes on.
At the end of a message of edit.test it makes one change of each kind.
"""

import sys

import Milter

ANSWERS = {
    "continue": Milter.CONTINUE,
    "accept": Milter.ACCEPT,
    "reject": Milter.REJECT,
    "tempfail": Milter.TEMPFAIL,
    "discard": Milter.DISCARD,
    "skip": Milter.SKIP,
}


class EveryAnswer(Milter.Base):
    stage = answer = ""

    def at(self, stage):
        if stage != self.stage:
            return Milter.CONTINUE
        if self.answer == "reply":
            self.setreply("550", "5.7.1", "100%% no", "at " + stage)
            return Milter.REJECT
        if self.answer == "later":
            self.setreply("450", "4.7.1", "come again")
            return Milter.TEMPFAIL
        return ANSWERS[self.answer]

    def connect(self, hostname, family, hostaddr):
        self.stage, _, self.answer = hostname.removesuffix(".test").partition("-")
        return self.at("connect")

    def hello(self, hostname):
        return self.at("hello")

    def envfrom(self, address, *params):
        return self.at("mail")

    def envrcpt(self, address, *params):
        return self.at("rcpt")

    def data(self):
        return self.at("data")

    def header(self, name, value):
        return self.at("header")

    def eoh(self):
        return self.at("headEnd")

    def body(self, chunk):
        return self.at("body")

    def unknown(self, command):
        return self.at("unknown")

    def eom(self):
        if self.stage == "edit":
            self.edit()
        return self.at("end")

    def edit(self):
        self.progress()
        self.addheader("X-Added", "one\n\ttwo")
        self.addheader("X-Top", "top", 0)
        self.chgheader("Subject", 1, "changed")
        self.chgheader("X-Gone", 1, "")
        self.chgfrom("<new@example.test>", "RET=HDRS")
        self.addrcpt("<c@example.test>")
        self.addrcpt("<d@example.test>", "NOTIFY=NEVER")
        self.delrcpt("<b@example.test>")
        self.replacebody("new body\r\n")
        self.quarantine("because")


Milter.factory = EveryAnswer
Milter.set_flags(
    Milter.CHGBODY + Milter.CHGHDRS + Milter.ADDHDRS + Milter.ADDRCPT + Milter.ADDRCPT_PAR
    + Milter.DELRCPT + Milter.QUARANTINE + Milter.CHGFROM
)
Milter.runmilter("every-answer", sys.argv[1], 60)
