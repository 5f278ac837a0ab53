// Adds a word or a phrase of the learner's own to the notebook.

import { useState } from "react";
import { histories } from "../../api/mesh";
import { useText } from "../../i18n/text";
import { Button } from "../../ui/Button";
import { Dialog } from "../../ui/Dialog";
import { Form, type FormFields } from "../../ui/Form";
import { TextField } from "../../ui/fields";

export function AddItem({ added }: { added: () => void }) {
  const say = useText();
  const [open, setOpen] = useState(false);
  const send = async (field: FormFields) => {
    await histories.createReviewItem({ reviewItem: { front: field("front"), back: field("back") } });
    setOpen(false);
    added();
  };
  return (
    <div>
      <Button aria-haspopup="dialog" onClick={() => setOpen(true)}>
        {say("notebook.add")}
      </Button>
      {open && (
        <Dialog title={say("notebook.add")} close={() => setOpen(false)}>
          <Form
            send={send}
            button={say("action.save")}
            besides={<Button onClick={() => setOpen(false)}>{say("action.cancel")}</Button>}
          >
            <TextField label={say("notebook.front")} name="front" maxLength={500} autoComplete="off" required />
            <TextField label={say("notebook.back")} name="back" maxLength={500} autoComplete="off" />
          </Form>
        </Dialog>
      )}
    </div>
  );
}
