import { Popover, UnstyledButton } from "@mantine/core";
import { Link, Outlet, useLocation } from "@tanstack/react-router";
import { useEffect, useRef } from "react";

import { isOperator } from "../limiters/limiters";
import { useSession } from "../session/session";
import { Icon, type IconName } from "../ui/Icon";
import { Mark } from "../ui/Mark";
import { ColorScheme } from "./ColorScheme";
import classes from "./Shell.module.css";

interface Place {
  to: "/instances" | "/decisions" | "/numbers" | "/webhooks" | "/members" | "/access" | "/usage" | "/limiters";
  label: string;
  icon: IconName;
}

const PLACES: Place[] = [
  { to: "/instances", label: "Instances", icon: "instances" },
  { to: "/decisions", label: "Decisions", icon: "list" },
  { to: "/numbers", label: "Numbers", icon: "number" },
  { to: "/webhooks", label: "Webhooks", icon: "bell" },
  { to: "/members", label: "Members", icon: "people" },
  { to: "/access", label: "Access", icon: "key" },
  { to: "/usage", label: "Usage", icon: "bars" },
];

const OPERATORS_PLACES: Place[] = [...PLACES, { to: "/limiters", label: "Limiters", icon: "auto" }];

export function Shell() {
  const { me } = useSession();
  const nav = useRef<HTMLElement>(null);
  const place = useLocation({ select: ({ pathname }) => pathname });
  // On a narrow screen the places stand in a row that is longer than the screen.
  useEffect(() => {
    nav.current?.querySelector("[aria-current=page]")?.scrollIntoView({ block: "nearest", inline: "center" });
  }, [place]);
  return (
    <div className={classes.shell}>
      <a className={classes.skip} href="#content">
        Skip to content
      </a>
      <header className={classes.side}>
        <Link to="/instances" className={classes.brand} aria-label="Ringfence, home">
          <Mark />
          <span>Ringfence</span>
        </Link>
        <nav className={classes.nav} aria-label="Main" ref={nav}>
          {(isOperator(me) ? OPERATORS_PLACES : PLACES).map((place) => (
            <Link key={place.to} to={place.to} className={classes.place} activeProps={{ "aria-current": "page" }}>
              <Icon name={place.icon} />
              {place.label}
            </Link>
          ))}
        </nav>
        <Account />
        <AccountMenu />
      </header>
      <main id="content" className={classes.content} tabIndex={-1}>
        <Outlet />
      </main>
    </div>
  );
}

function Account() {
  return (
    <div className={classes.account}>
      <AccountBody />
    </div>
  );
}

/** The same on a narrow screen. */
function AccountMenu() {
  const { me } = useSession();
  return (
    <div className={classes.accountMenu}>
      <Popover position="bottom-end" width={260} withinPortal={false} trapFocus returnFocus>
        <Popover.Target>
          <UnstyledButton className={classes.menuButton} aria-label={`Account: ${me.tenant?.name ?? ""}`}>
            <span className={classes.menuName}>{me.tenant?.name}</span>
            <Icon name="more" weight={2.6} />
          </UnstyledButton>
        </Popover.Target>
        <Popover.Dropdown className={classes.menuBody ?? ""}>
          <AccountBody />
        </Popover.Dropdown>
      </Popover>
    </div>
  );
}

function AccountBody() {
  const { signOut } = useSession();
  return (
    <>
      <Who />
      <ColorScheme />
      <UnstyledButton className={classes.signOut} onClick={() => void signOut()}>
        <Icon name="out" size={16} />
        Sign out
      </UnstyledButton>
    </>
  );
}

function Who() {
  const { me, leaveTenant } = useSession();
  const person = me.name ?? me.email;
  return (
    <div className={classes.who}>
      <span className={classes.tenant}>{me.tenant?.name}</span>
      <span className={classes.role}>{me.role}</span>
      {person != null && <span className={classes.person}>{person}</span>}
      {leaveTenant !== undefined && (
        <UnstyledButton className={classes.switch} onClick={leaveTenant}>
          Switch tenant
        </UnstyledButton>
      )}
    </div>
  );
}
