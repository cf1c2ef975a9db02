/** An identity provider whose tokens are to be accepted. */
import { Checkbox, NativeSelect, Textarea, TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { type ComponentProps, useState } from "react";

import { faultAt } from "../api/faults";
import type { Role, TokenAlgorithm } from "../api/types";
import { givable } from "../session/roles";
import { useSession } from "../session/session";
import { Fields, FormPanel } from "../ui/Panel";
import { addIssuer, ALGORITHMS, readRoles } from "./issuers";
import classes from "./Access.module.css";

const REFUSED = "refused";

interface Props {
  onAdded: () => void;
  onClose: () => void;
}

const EMPTY = { issuer: "", audience: "", jwks_url: "", role_claim: "" };

export function AddIssuer({ onAdded, onClose }: Props) {
  const { api, me } = useSession();
  const [fields, setFields] = useState(EMPTY);
  const [algorithms, setAlgorithms] = useState<TokenAlgorithm[]>(["RS256"]);
  const [roles, setRoles] = useState("");
  const [others, setOthers] = useState(REFUSED);
  const adding = useMutation({
    mutationFn: () =>
      addIssuer(api, {
        ...fields,
        role_claim: fields.role_claim === "" ? null : fields.role_claim,
        algorithms,
        roles: readRoles(roles),
        default_role: others === REFUSED ? null : (others as Role),
      }),
    onSuccess: () => {
      onAdded();
      onClose();
    },
  });
  const field = (name: keyof typeof EMPTY): ComponentProps<typeof TextInput> => ({
    autoComplete: "off",
    value: fields[name],
    onChange: (event) => setFields({ ...fields, [name]: event.currentTarget.value }),
    error: faultAt(adding.error, name),
  });
  return (
    <FormPanel
      title="Add a token issuer"
      asking={adding}
      submit="Add"
      failure="The issuer was not added"
      onClose={onClose}
    >
      <Fields>
        <TextInput
          label="Issuer"
          description="The claim iss, letter by letter"
          placeholder="https://login.example.com"
          autoFocus
          {...field("issuer")}
        />
        <TextInput
          label="Audience"
          description="A value of aud that is meant for Ringfence"
          placeholder="ringfence"
          {...field("audience")}
        />
        <TextInput
          label="Key set"
          description="Where its public keys are: https, reachable from the internet"
          placeholder="https://login.example.com/.well-known/jwks.json"
          type="url"
          {...field("jwks_url")}
        />
      </Fields>
      <Checkbox.Group
        label="Signed by"
        value={algorithms}
        onChange={(chosen) => setAlgorithms(chosen as TokenAlgorithm[])}
        error={faultAt(adding.error, "algorithms")}
      >
        <div className={classes.algorithms}>
          {ALGORITHMS.map((name) => (
            <Checkbox key={name} value={name} label={name} />
          ))}
        </div>
      </Checkbox.Group>
      <Fields>
        <TextInput
          label="Claim with the role"
          description="A text, or a list of texts"
          placeholder="groups"
          {...field("role_claim")}
        />
        <Textarea
          label="Its values"
          description="A line for each, with the role it stands for"
          placeholder={"ringfence-admins = admin\nringfence-staff = viewer"}
          rows={3}
          value={roles}
          onChange={(event) => setRoles(event.currentTarget.value)}
          error={faultAt(adding.error, "roles")}
        />
        <NativeSelect
          label="Everybody else"
          description="Tokens without one of these values"
          value={others}
          data={[{ value: REFUSED, label: "is refused" }, ...givable(me)]}
          onChange={(event) => setOthers(event.currentTarget.value)}
          error={faultAt(adding.error, "default_role")}
        />
      </Fields>
    </FormPanel>
  );
}
