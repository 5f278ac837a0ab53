// The Android sample: an app around the client of ../core.
pluginManagement {
    repositories {
        google()
        mavenCentral()
        gradlePluginPortal()
    }
}

dependencyResolutionManagement {
    repositories {
        google()
        mavenCentral()
        // Where `mvn install` in the folder above leaves the client.
        mavenLocal()
    }
}

rootProject.name = "vivavoce-sample"
include(":app")
